import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { createApp } from '@kyros/kernel/http-app'
import { createMetrics } from '@kyros/kernel/metrics'
import { type Serving, serve } from '@kyros/kernel/serve'
import { openStore } from '@kyros/store/open-store'
import { prepareDirectory } from '@kyros/store/sqlite/data-directory'
import type { Store } from '@kyros/store/store'
import { createWorker } from '@kyros/worker/worker'
import type { CommandContext } from '../command-line/command-context.ts'
import { CommandError } from '../command-line/command-error.ts'
import { type ExitCode, exitCode } from '../command-line/exit-code.ts'
import { openConfig } from './open-config.ts'
import { type OpenTemporal, openTemporal } from './open-temporal.ts'
import { openWorkflows } from './open-workflows.ts'
import { type DataPaths, dataPaths } from './paths.ts'
import { plainScheme } from './plain-scheme.ts'
import { openLog, tellNotices } from './run-server.ts'
import { secretKeyOf } from './secret-key.ts'
import type { SignalStop } from './stop-on-signals.ts'
import { temporalTargetOf } from './temporal-target.ts'
import { tlsFiles } from './tls-files.ts'

/** Does steps of runs on a Temporal cluster until it is told to stop, with probes on a listener of its own. */
export async function runWorker(context: CommandContext, stop: SignalStop): Promise<ExitCode> {
  const loaded = openConfig(context)
  const { config } = loaded
  const serverLog = openLog(context, loaded)
  tellNotices(loaded, serverLog)
  const { log } = serverLog
  const paths = dataPaths(context.directory, config.data_dir)
  // Several workers may share a machine, and each clears away only what is its own.
  const workspaceDir = join(paths.baseDir, 'workers', String(process.pid))
  let store: Store | undefined
  let cluster: OpenTemporal | undefined
  try {
    if (paths.dataDir !== undefined) prepareDirectory(paths.dataDir)
    const secretKey = secretKeyOf(config.environment, config.security.secret_key, paths.dataDir)
    const target = temporalTargetOf(config, context.directory)
    if (target === undefined)
      throw new CommandError('A worker needs a Temporal cluster.', 'Set temporal.host_port.')
    const { url, max_open_conns: maxConnections } = config.database
    store = await openStore({
      dataDir: paths.storeDir,
      ...(url !== undefined && { databaseUrl: plainScheme(url), maxConnections }),
      log: (level, message) => log[level]({ part: 'store' }, message),
    })
    const { directory, env, version } = context
    const own = await openWorkflows({ config, paths, log, directory, env }, store)
    const metrics = createMetrics({ version })
    cluster = openTemporal({ config, secretKey, log, store, target, metrics })
    const worker = cluster.createWorker({ steps: own.steps, workspaceDir, cacheDir: paths.cacheDir })
    const drainMs = config.server.drain_ms
    const serving = await serve({
      services: [cluster.service, createWorker({ worker, drainMs, hasProbes: true })],
      app: createApp({ log, metrics, rateLimit: false }),
      host: config.server.host,
      port: config.server.port,
      log,
      graceMs: drainMs,
      metricsPort: config.server.enable_metrics ? config.server.metrics_port : 0,
      tls: tlsFiles(config.server),
    })
    sayReady(context, serving, target)
    stop.attach(serving, log)
    await serving.ended
    return stop.wasHurried() ? exitCode.interrupted : exitCode.done
  } finally {
    stop.end()
    await closeAll(cluster, store, paths, workspaceDir)
  }
}

function sayReady(
  { terminal }: CommandContext,
  serving: Serving,
  { address, namespace }: { address: string; namespace: string },
): void {
  // Other programs wait for a line that begins so.
  terminal.out(`Kyros is ready on ${serving.url}`)
  terminal.out(`  Steps of runs on Temporal at ${address}, namespace ${namespace}`)
}

async function closeAll(
  cluster: OpenTemporal | undefined,
  store: Store | undefined,
  paths: DataPaths,
  workspaceDir: string,
): Promise<void> {
  await cluster?.close()
  await store?.close()
  rmSync(workspaceDir, { recursive: true, force: true })
  paths.cleanUp()
}
