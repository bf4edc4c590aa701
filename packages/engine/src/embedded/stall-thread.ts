import { writeSync } from 'node:fs'
import { Session } from 'node:inspector'
import { workerData } from 'node:worker_threads'
import type { StallWatchOptions } from './stall-watch.ts'
import type { Where } from './workflow-scope.ts'

/** The thread of `watchForStalls`. */
// Border cast: `watchForStalls` alone starts this file, with these.
const { beats, askedAs, tickMs, patienceTicks } = workerData as StallWatchOptions & {
  beats: Int32Array
  askedAs: string
}

const stderr = 2
const repeatAfterTicks = 60

let seen = -1
let still = 0

// Ticks of this thread and no clock: a machine that slept has not stood still.
setInterval(() => {
  const beat = Atomics.load(beats, 0)
  const wasStill = still
  still = beat === seen ? still + 1 : 0
  seen = beat
  if (still === 0 && wasStill >= patienceTicks) say(`The server goes on after ${seconds(wasStill)}.`)
  if (still < patienceTicks || (still - patienceTicks) % repeatAfterTicks !== 0) return
  const forSeconds = seconds(still)
  askWhere((where) => say(`The server has stood still for ${forSeconds}. ${advice(where)}`))
}, tickMs)

const seconds = (ticks: number) => `${Math.round((ticks * tickMs) / 1000)} s`

function advice(where: Where | undefined): string {
  if (where === undefined) return 'What keeps it is no code of a run.'
  const { runId, workflow, step } = where
  if (step !== undefined) {
    return `The step ${step} of run ${runId} keeps it: nothing else happens meanwhile. Let the step do such work in a child process or a worker thread. If it does not end, kill this process: after five such ends the attempt has failed.`
  }
  return `The definition ${workflow} of run ${runId} keeps it with a loop that never waits: nothing else happens meanwhile. If it does not end, kill this process, start it with KYROS_ENGINE_LEAVE_OUT=${runId}, and cancel that run or upgrade it to a corrected definition.`
}

/** By way of the process itself, which may write neither here nor anywhere else now. */
function say(line: string): void {
  writeSync(stderr, `${line}\n`)
}

/** Interrupts the process for a moment to ask whose code it runs; its loop then goes on as if nothing had been. */
function askWhere(answer: (where: Where | undefined) => void): void {
  const session = new Session()
  session.connectToMainThread()
  const over = (where: Where | undefined) => {
    session.post('Debugger.resume', () => session.post('Debugger.disable', () => session.disconnect()))
    answer(where)
  }
  session.once('Debugger.paused', ({ params }) => {
    const [frame] = params.callFrames
    if (frame === undefined) return over(undefined)
    const expression = `JSON.stringify(globalThis.${askedAs}() ?? null)`
    const asked = { callFrameId: frame.callFrameId, expression, returnByValue: true }
    session.post('Debugger.evaluateOnCallFrame', asked, (error, found) => {
      // Border cast: the protocol of the inspector answers so.
      const text = error === null ? (found as { result: { value?: unknown } }).result.value : undefined
      // Border cast: `whereNow` made the text.
      const where = typeof text === 'string' ? (JSON.parse(text) as Where | null) : null
      over(where ?? undefined)
    })
  })
  session.post('Debugger.enable', () => session.post('Debugger.pause'))
}
