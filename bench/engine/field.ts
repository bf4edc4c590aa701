import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Child } from './child.ts'
import { stopGuarded } from './guarded.ts'
import { type HttpTarget, startHttpServer } from './http-load.ts'
import { openPostgres, startRestate } from './servers.ts'
import type { TemporalServer } from './temporal-server.ts'

const dbosPoolSize = 20
/** Better than 256 for openworkflow: its event loop stands still while SQLite commits. */
const openworkflowSlots = 64

/** Everybody who takes part in the rounds, running and idle. */
export type Field = {
  kyros: Child
  kyrosPostgres: Child
  restate: Child
  dbos: Child
  openworkflow: Child
  /** Who runs on Temporal, by name; empty where there is no server. */
  temporal: readonly (readonly [name: string, client: Child])[]
  /** The server's version. */
  temporalVersion?: string
  http: { kyros: HttpTarget; restate: HttpTarget }
  close(): Promise<void>
}

/** Starts one after the other; what was started is stopped when a later one fails. */
export async function openField(
  directory: string,
  startTemporal: ((directory: string) => Promise<TemporalServer>) | undefined,
): Promise<Field> {
  const closers: (() => Promise<void>)[] = []
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  const child = async (name: string, options: object) => {
    const started = await Child.start(name, options)
    closers.push(() => started.close())
    return started
  }
  const newDirectory = (name: string) => {
    const path = join(directory, name)
    mkdirSync(path)
    return path
  }
  try {
    const postgres = await openPostgres()
    closers.push(() => postgres.close())
    const restateServer = await startRestate(directory)
    closers.push(() => restateServer.close())
    const kyros = await child('kyros', { dir: newDirectory('kyros') })
    const kyrosPostgres = await child('kyros', {
      dir: newDirectory('kyros-postgres'),
      databaseUrl: await postgres.newDatabase('kyros'),
    })
    const dbos = await child('dbos', {
      databaseUrl: await postgres.newDatabase('dbos'),
      poolSize: dbosPoolSize,
    })
    const openworkflow = await child('openworkflow', {
      dir: newDirectory('openworkflow'),
      slots: openworkflowSlots,
    })
    const { adminUrl, ingressUrl } = restateServer
    const restate = await child('restate', { adminUrl, ingressUrl })
    const temporalServer = await startTemporal?.(newDirectory('temporal'))
    if (temporalServer !== undefined) closers.push(() => temporalServer.close())
    const temporal =
      temporalServer === undefined
        ? []
        : await openTemporal(
            temporalServer.address,
            {
              dir: newDirectory('kyros-temporal'),
              databaseUrl: await postgres.newDatabase('kyros_temporal'),
            },
            child,
          )
    const server = await startHttpServer(newDirectory('http'))
    closers.push(() => stopGuarded(server.started.child))
    const open = async (accepted: number) => accepted - (await restate.ask<number>('handled', {}, 10_000))
    const restateTarget = { url: `${ingressUrl}/bench/threeSteps/send`, headers: [], body: '1', open }
    const http = { kyros: server.target, restate: restateTarget }
    const temporalVersion = temporalServer?.version
    const peers = { kyros, kyrosPostgres, restate, dbos, openworkflow, temporal }
    return { ...peers, ...(temporalVersion !== undefined && { temporalVersion }), http, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Plain Temporal code and ours; each worker is a process of its own, as it would be in production. */
async function openTemporal(
  address: string,
  kyros: { dir: string; databaseUrl: string },
  child: (name: string, options: object) => Promise<Child>,
): Promise<Field['temporal']> {
  const plainOptions = { address, taskQueue: `bench-${process.pid}` }
  await child('temporal-worker', plainOptions)
  const plain = await child('temporal', plainOptions)
  const options = { ...kyros, address, taskQueue: `bench-kyros-${process.pid}` }
  const ours = await child('kyros-temporal', options)
  await child('kyros-temporal-worker', options)
  return [
    ['temporal', plain],
    ['kyros_temporal', ours],
  ]
}
