// Real processes of Kyros with a workflow that writes down each time one of its steps is done.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Client, createClient } from '@kyros/client/client'
import type { Answer } from '@kyros/contract/operation'
import type { Readiness } from '@kyros/contract/platform'
import { localAccess } from '../connect/connect.ts'
import { type Spawned, spawnKyros, temporaryDirectory } from '../testing/spawn-kyros.ts'

const workflow = `import { defineWorkflow } from 'kyros/workflow'

type Steps = { Note: (input: { text: string; pauseMs: number }) => Promise<string> }

export const workflow = defineWorkflow<Steps>()({
  name: 'noting',
  version: '1.0.0',
  run: async ({ step, sleep }, input: { pauseMs: number }) => {
    await step.Note({ text: 'first', pauseMs: input.pauseMs }, { key: 'first' })
    await sleep(input.pauseMs)
    return step.Note({ text: 'second', pauseMs: input.pauseMs }, { key: 'second' })
  },
})
`

const steps = (file: string) => `import { appendFileSync } from 'node:fs'

const note = async ({ text, pauseMs }: { text: string; pauseMs: number }, context: { runId: string }) => {
  await new Promise((resolve) => setTimeout(resolve, pauseMs))
  appendFileSync(${JSON.stringify(file)}, \`\${context.runId} \${text}\\n\`)
  return text
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
  writeFileSync(join(directory, 'workflows', 'noting.workflow.ts'), workflow)
  writeFileSync(join(directory, 'workflows', 'noting.steps.ts'), steps(file))
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
    run: (id) => client.call('getRun', { params: { id } }),
    ready: async (part) => {
      const answer = await fetch(`${url}/readyz?verbose`, { signal: AbortSignal.timeout(20_000) })
      // Border cast: the contract's test holds that the probe answers so.
      const { checks } = (await answer.json()) as Readiness
      return { status: answer.status, check: checks?.filter(({ name }) => name === part) }
    },
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
