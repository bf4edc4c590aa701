// Real processes of Kyros with a workflow that writes down each time one of its steps is done.
import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Client, createClient } from '@kyros/client/client'
import type { Answer } from '@kyros/contract/operation'
import type { Readiness } from '@kyros/contract/platform'
import { inject } from 'vitest'
import { localAccess } from '../connect/connect.ts'
import { type Spawned, spawnKyros, temporaryDirectory } from '../testing/spawn-kyros.ts'

const definition = (
  name: string,
  input: string,
  body: string,
) => `import { defineWorkflow } from 'kyros/workflow'

type Steps = { Note: (input: { text: string; pauseMs: number; bytes?: number }) => Promise<string> }

export const workflow = defineWorkflow<Steps>()({
  name: '${name}',
  version: '1.0.0',
  run: async ({ step, sleep, loop, continueAsNew }, input: ${input}) => {
    ${body}
  },
})
`

const workflows: { readonly [name: string]: string } = {
  noting: definition(
    'noting',
    '{ pauseMs: number }',
    `await step.Note({ text: 'first', pauseMs: input.pauseMs }, { key: 'first' })
    await sleep(input.pauseMs)
    return step.Note({ text: 'second', pauseMs: input.pauseMs }, { key: 'second' })`,
  ),
  // A loop whose history is large enough for a new part after some ten rounds.
  circling: definition(
    'circling',
    '{ rounds: number; pauseMs: number }',
    `return loop(0, async (round) => {
      await step.Note({ text: 'round-' + round, pauseMs: input.pauseMs, bytes: 900_000 })
      return round + 1 === input.rounds ? { done: input.rounds } : { next: round + 1 }
    })`,
  ),
  // Three rounds in each part.
  relaying: definition(
    'relaying',
    '{ from?: number; rounds: number; pauseMs: number }',
    `const { from = 0, rounds, pauseMs } = input
    const end = Math.min(from + 3, rounds)
    for (let round = from; round < end; round++) await step.Note({ text: 'round-' + round, pauseMs })
    return end === rounds ? rounds : continueAsNew({ rounds, pauseMs, from: end })`,
  ),
}

const steps = (file: string) => `import { appendFileSync } from 'node:fs'

type Input = { text: string; pauseMs: number; bytes?: number }

const note = async ({ text, pauseMs, bytes = 0 }: Input, context: { runId: string }) => {
  await new Promise((resolve) => setTimeout(resolve, pauseMs))
  appendFileSync(${JSON.stringify(file)}, \`\${context.runId} \${text}\\n\`)
  return text.padEnd(bytes)
}

export const steps = { Note: note }
`

export type Project = {
  directory: string
  /** What was done, by run: its notes in order. */
  notes(): Map<string, string[]>
  start(words: readonly string[], env?: Record<string, string>): Spawned
}

export function createNotingProject(): Project {
  const directory = temporaryDirectory()
  const file = join(directory, 'notes')
  mkdirSync(join(directory, 'workflows'))
  writeFileSync(file, '')
  for (const [name, source] of Object.entries(workflows)) {
    writeFileSync(join(directory, 'workflows', `${name}.workflow.ts`), source)
    writeFileSync(join(directory, 'workflows', `${name}.steps.ts`), steps(file))
  }
  return {
    directory,
    notes: () => {
      const found = new Map<string, string[]>()
      for (const line of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
        const [run = '', text = ''] = line.split(' ')
        found.set(run, [...(found.get(run) ?? []), text])
      }
      return found
    },
    start: (words, env = {}) =>
      spawnKyros([...words, '--port', '0'], { cwd: directory, env: { SECRET_KEY: 'k'.repeat(40), ...env } }),
  }
}

export type Api = {
  client: Client
  /** The id of the run, or undefined when it was not accepted. */
  startNoting(pauseMs: number): Promise<string | undefined>
  /** The id of a run that does so many rounds. */
  startRounds(type: 'circling' | 'relaying', rounds: number, pauseMs: number): Promise<string>
  run(runId: string): Promise<Answer<'getRun'>>
  /** The state of the probe, with the check of one part. */
  ready(part: string): Promise<{ status: number; check: Readiness['checks'] }>
}

/** Every call is tried once: what a server answers is what the tests are about. */
export function apiOf(url: string, project: Project): Api {
  const access = localAccess(join(project.directory, '.kyros'))
  const client = createClient({ baseUrl: url, access, maxTries: 1, timeoutMs: 20_000 })
  return {
    client,
    startNoting: async (pauseMs) => {
      const body = { name: 'noted', type: 'noting', input: { pauseMs } }
      const started = await client.call('startRun', { body }).catch(() => undefined)
      return started?.run_id
    },
    startRounds: async (type, rounds, pauseMs) => {
      const { run_id: runId } = await client.call('startRun', {
        body: { name: type, type, input: { rounds, pauseMs } },
      })
      return runId
    },
    run: (id) => client.call('getRun', { params: { id } }),
    ready: async (part) => {
      const answer = await fetch(`${url}/readyz?verbose`, { signal: AbortSignal.timeout(20_000) })
      // Border cast: the contract's test holds that the probe answers so.
      const { checks } = (await answer.json()) as Readiness
      return { status: answer.status, check: checks?.filter(({ name }) => name === part) }
    },
  }
}

/** What lets a server run on the tests' cluster, on a task queue that nobody else has. */
export function clusterEnv(): { [name: string]: string } {
  return {
    KYROS_TEMPORAL_HOST_PORT: inject('testTemporalAddress'),
    KYROS_TEMPORAL_TASK_QUEUE: `test-${randomUUID()}`,
  }
}

/** Reads until it holds. @throws with what was read last */
export async function until<T>(
  read: () => Promise<T>,
  holds: (value: T) => boolean,
  patienceMs = 30_000,
): Promise<T> {
  const giveUpMs = Date.now() + patienceMs
  for (;;) {
    const value = await read()
    if (holds(value)) return value
    if (Date.now() > giveUpMs) throw new Error(`waited in vain; last seen: ${JSON.stringify(value)}`)
    await delay(100)
  }
}

/** Tells the process to stop, as a supervisor does, and waits until it has. */
export async function stop(server: Spawned): Promise<unknown> {
  server.child.kill('SIGTERM')
  return server.exited
}
