import type { LoadedConfig } from '@kyros/kernel/config/load-config'
import { readTls } from '@kyros/kernel/tls'
import { prepareDirectory } from '@kyros/store/sqlite/data-directory'
import type { CommandContext } from '../command-line/command-context.ts'
import { type ExitCode, exitCode } from '../command-line/exit-code.ts'
import type { Config, configSchema } from '../config.ts'
import { removeServerFile, writeServerFile } from '../connect/server-file.ts'
import { trustCertificate } from '../connect/trust-certificate.ts'
import { openConfig } from './open-config.ts'
import { dataPaths } from './paths.ts'
import { readyLines } from './ready-block.ts'
import { releaseAfterStart } from './release-memory.ts'
import { isShort, secretKeyOf } from './secret-key.ts'
import { createServerLog, type ServerLog } from './server-log.ts'
import { type StartedServer, startServer } from './start-server.ts'
import type { SignalStop } from './stop-on-signals.ts'
import { tlsFiles } from './tls-files.ts'

export type RunningServer = {
  url: string
  context: CommandContext
  serverLog: ServerLog
  /** Where the credential of the local command line lies. */
  credentialDir: string
  /** Whether this data directory has never had a run. */
  isFirstStart: boolean
  /** Aborts when the server begins to stop. */
  stopping: AbortSignal
}

/**
 * Starts the server, says that it is ready, and keeps serving until it is told to stop.
 * `onReady` may go on beside it; what it throws is logged. A `stop` that comes during the start ends it as cleanly.
 */
export async function runServer(
  context: CommandContext,
  stop: SignalStop,
  { onReady, hasWorker }: { onReady?: (server: RunningServer) => Promise<void>; hasWorker: boolean },
): Promise<ExitCode> {
  const loaded = openConfig(context)
  const serverLog = openLog(context, loaded)
  tellNotices(loaded, serverLog)
  const { config, settings } = loaded
  const paths = dataPaths(context.directory, config.data_dir)
  try {
    // First of all, so that the first file written there is not what explains a wrong directory.
    if (paths.dataDir !== undefined) prepareDirectory(paths.dataDir)
    if (stop.signal.aborted) return exitCode.done
    const secretKey = secretKeyOf(config.environment, config.security.secret_key, paths.dataDir)
    const { version, env, directory } = context
    const { log } = serverLog
    const server = await startServer({
      ...{ config, settings, paths, secretKey, log, version, directory, env, hasWorker },
    })
    if (config.workflows.watch) server.ownWorkflows.watch(stop.signal)
    const { url } = server.serving
    stop.attach(server.serving, log)
    if (paths.dataDir !== undefined)
      writeServerFile(paths.dataDir, { url, pid: process.pid, ...certificateOf(config.server) })
    try {
      // A password that was just made is shown now or never.
      if (!stop.signal.aborted || server.firstAdmin() !== undefined) {
        sayReady(context, loaded, { server, dataDir: paths.dataDir, hasWorker })
      }
      const isFirstStart = (await server.store.runs.list({ limit: 1 })).items.length === 0
      const ready = {
        url,
        context,
        serverLog,
        credentialDir: paths.baseDir,
        isFirstStart,
        stopping: stop.signal,
      }
      const beside = stop.signal.aborted
        ? undefined
        : onReady?.(ready).catch((error: unknown) => {
            if (!stop.signal.aborted) serverLog.log.warn({ err: error }, 'the sample job did not run')
          })
      await server.serving.ended
      await beside
    } finally {
      if (paths.dataDir !== undefined) removeServerFile(paths.dataDir, process.pid)
      await server.close()
    }
    return stop.wasHurried() ? exitCode.interrupted : exitCode.done
  } finally {
    stop.end()
    paths.cleanUp()
  }
}

/** So that commands on this machine trust a certificate that nobody else vouches for. */
function certificateOf(server: Config['server']): { certificate?: string } {
  const files = tlsFiles(server)
  if (files === undefined) return {}
  const { cert: certificate } = readTls(files)
  trustCertificate(certificate)
  return { certificate }
}

export function openLog(
  context: CommandContext,
  { config, settings }: LoadedConfig<typeof configSchema>,
): ServerLog {
  const level = settings.find(({ setting }) => setting.path === 'log.level')
  return createServerLog({
    config,
    hasLevel: level !== undefined && level.origin.kind !== 'default',
    hasColor: process.stderr.isTTY === true && (context.env.NO_COLOR ?? '') === '',
    write: (text) => void process.stderr.write(text),
  })
}

export function tellNotices(
  { notices, config }: LoadedConfig<typeof configSchema>,
  { log }: ServerLog,
): void {
  for (const notice of notices) log.info({}, notice)
  const key = config.security.secret_key
  if (key !== undefined && isShort(key)) {
    log.warn({}, 'SECRET_KEY is shorter than 32 characters; production would refuse it.')
  }
  const isLoopback = ['127.0.0.1', '::1', 'localhost'].includes(config.server.host)
  if (!isLoopback && config.server.tls.cert === undefined) {
    log.warn(
      {},
      `Listening on ${config.server.host} without TLS: others on the network can read what is sent.`,
    )
  }
}

function sayReady(
  context: CommandContext,
  loaded: LoadedConfig<typeof configSchema>,
  started: { server: StartedServer; dataDir: string | undefined; hasWorker: boolean },
): void {
  const { server } = started
  const { terminal, callName } = context
  // Other programs wait for exactly this line.
  terminal.out(`Kyros is ready on ${server.serving.url}`)
  const firstAdmin = server.firstAdmin()
  for (const line of readyLines({ ...started, terminal, callName, config: loaded.config, firstAdmin })) {
    terminal.out(line)
  }
  releaseAfterStart()
}
