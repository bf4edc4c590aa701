import type { Client } from '@kyros/client/client'
import { isRunEvent, type RunEvent } from '@kyros/contract/event'
import type { Run } from '@kyros/contract/run'
import { applyEvent } from '@kyros/contract/run-state'
import { isTerminal } from '@kyros/contract/run-status'
import type { CommandContext } from '../command-line/command-context.ts'
import { type ExitCode, exitCode } from '../command-line/exit-code.ts'
import { connect } from '../connect/connect.ts'
import { createRunDisplay, type RunDisplay } from './run-display.ts'
import { summaryLines } from './run-summary.ts'

/** How long a second Ctrl-C still means "cancel the run". */
const secondInterruptMs = 3_000

/** Shows a run until it ends. Ctrl-C once leaves it running, twice cancels it. */
export async function followRun(context: CommandContext, runId: string): Promise<ExitCode> {
  const { client } = await connect(context)
  const display = createRunDisplay(context.terminal, context.wantsJson)
  const leave = leaveOnInterrupt(client, runId, context, display)
  try {
    const run = await watchRun(client, runId, display, leave.signal)
    if (!isTerminal(run.status)) return exitCode.interrupted
    if (context.wantsJson) context.terminal.json(run)
    else for (const line of summaryLines(context.terminal, run, context.callName)) context.terminal.out(line)
    return run.status === 'completed' ? exitCode.done : exitCode.failed
  } finally {
    leave.end()
  }
}

/** Follows the events of a run and answers it as it is when it ended, or when the signal was aborted. */
export async function watchRun(
  client: Client,
  runId: string,
  display: RunDisplay,
  signal: AbortSignal,
): Promise<Run> {
  let run = await client.call('getRun', { params: { id: runId } })
  display.show(run)
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  try {
    while (!isTerminal(run.status) && !signal.aborted) {
      const stream = client.stream('listRunEvents', {
        params: { id: runId },
        after: run.last_seq,
        signal: either,
      })
      for await (const message of stream) {
        // Retention removed what came between: the run as it is now holds it all.
        if (message.kind === 'reset') run = await client.call('getRun', { params: { id: runId } })
        else {
          // The contract's event is the engine's; its data was checked when it was written.
          const event = message.item as { type: string; run_id?: string; run_seq?: number }
          if (!isRunEvent(event)) continue
          run = applyEvent(run, event)
          display.event(run, event satisfies RunEvent)
        }
        if (isTerminal(run.status)) stop.abort()
      }
    }
  } catch (error) {
    if (!either.aborted) throw error
  } finally {
    display.end(run)
  }
  return run
}

function leaveOnInterrupt(client: Client, runId: string, context: CommandContext, display: RunDisplay) {
  const abort = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const leave = () => {
    if (timer !== undefined) {
      clearTimeout(timer)
      display.note('Cancelling the run.')
      const request = { params: { id: runId }, body: { reason: 'Ctrl-C twice' } }
      client.call('cancelRun', request).catch((error: unknown) => {
        display.note(`The run cannot be cancelled: ${error instanceof Error ? error.message : error}`)
        abort.abort()
      })
      return
    }
    display.note(`The run goes on. Return with: ${context.callName} runs follow ${runId}`)
    display.note(`Ctrl-C again within ${secondInterruptMs / 1000} s cancels it.`)
    timer = setTimeout(() => abort.abort(), secondInterruptMs)
  }
  process.on('SIGINT', leave)
  return {
    signal: abort.signal,
    end: () => {
      process.off('SIGINT', leave)
      clearTimeout(timer)
      if (abort.signal.aborted) context.terminal.note(`The run ${runId} goes on.`)
    },
  }
}
