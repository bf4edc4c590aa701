import { textOf } from '../error-text.ts'

let loading: ReturnType<typeof load> | undefined

/** Temporal's worker, with its native core: 176 MB on disk, loaded when it is first needed. */
export function loadSdk() {
  loading ??= load()
  return loading
}

async function load() {
  const { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } = await import(
    '@temporalio/worker'
  )
  // What it has to say comes back as results and errors; the core's own log would only double it.
  const logger = new DefaultLogger('ERROR', () => {})
  try {
    Runtime.install({ logger, telemetryOptions: { logging: { filter: 'off' } } })
  } catch (error) {
    // Somebody else in this process has installed one.
    if (!textOf(error).includes('already')) throw error
  }
  return { bundleWorkflowCode, Worker, NativeConnection, Runtime, logger }
}
