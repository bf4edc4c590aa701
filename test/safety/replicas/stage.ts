import { randomBytes } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openStore } from '@kyros/store/open-store'
import type { Store } from '@kyros/store/store'
import { startDatabases } from '../load/databases.ts'
import { parseRecords, type Record } from '../load/records.ts'
import { createReplica, type Replica, type Service } from './replica.ts'

export type Stage = {
  directory: string
  /** A process of Kyros that is not started yet. */
  add(service: Service): Promise<Replica>
  openStore(): Promise<Store>
  /** What the steps of all processes wrote down. */
  effects(): Record[]
  /** Kills every process, and leaves the files when they are of use. */
  close(keepsFiles: boolean): Promise<void>
}

/** One PostgreSQL, one secret and one directory of workflows for several processes, with `env` besides. */
export async function openStage(env: NodeJS.ProcessEnv = {}): Promise<Stage> {
  const directory = mkdtempSync(join(tmpdir(), 'kyros-replicas-'))
  writeFileSync(join(directory, 'effects'), '')
  const workflowsDir = join(directory, 'workflows')
  cpSync(fileURLToPath(new URL('./fixtures/workflows', import.meta.url)), workflowsDir, { recursive: true })
  const databases = await startDatabases()
  const databaseUrl = await databases.create()
  const secretKey = randomBytes(32).toString('base64url')
  const replicas: Replica[] = []
  return {
    directory,
    add: async (service) => {
      const home = join(directory, `${service}-${replicas.length}`)
      mkdirSync(home)
      const common = { databaseUrl, workflowsDir, secretKey, env }
      const replica = await createReplica({ ...common, service, directory: home })
      replicas.push(replica)
      return replica
    },
    openStore: () => openStore({ dataDir: join(directory, 'reader'), databaseUrl }),
    effects: () => parseRecords(readFileSync(join(directory, 'effects'), 'utf8')),
    close: async (keepsFiles) => {
      await Promise.all(replicas.map((replica) => replica.end('SIGKILL')))
      await databases.drop(databaseUrl)
      await databases.stop()
      if (keepsFiles) console.log(`what was found is kept in ${directory}`)
      else rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** `--rounds N [--seed S]`, or the end of the process with how it is called. */
export function readRounds(script: string): { rounds: number; seed: number } {
  const { values } = parseArgs({ options: { rounds: { type: 'string' }, seed: { type: 'string' } } })
  const rounds = Number(values.rounds ?? 3)
  const seed = Number(values.seed ?? Date.now() % 1_000_000_000)
  if (!Number.isInteger(rounds) || rounds < 1) {
    console.error(`usage: npm run ${script} -- --rounds N [--seed S]`)
    process.exit(2)
  }
  console.log(`seed ${seed}`)
  return { rounds, seed }
}
