import type { WorkflowFault, WorkflowFaultCode } from '@kyros/contract/workflow-fault'
import { errorAt, type Place, warningAt } from './fault.ts'

type Forbidden = { code: WorkflowFaultCode; hint: string; isWarning?: true }

const inStep = 'do it in a step'
const noState = 'a definition keeps no state outside its run'

/** Globals that are not the same the next time, and what a definition uses in their place. */
export const forbiddenGlobals: { readonly [name: string]: Forbidden } = {
  Date: { code: 'time_read', hint: 'use context.now()' },
  performance: { code: 'time_read', hint: 'use context.now()' },
  Temporal: { code: 'time_read', hint: 'use context.now()' },
  'Math.random': { code: 'random_used', hint: 'use context.random()' },
  crypto: { code: 'random_used', hint: 'use context.uuid() or context.random()' },
  setTimeout: { code: 'timer_used', hint: 'use context.sleep()' },
  setInterval: { code: 'timer_used', hint: 'use context.sleep()' },
  setImmediate: { code: 'timer_used', hint: 'use context.sleep()' },
  'AbortSignal.timeout': { code: 'timer_used', hint: 'use context.sleep(), or a limit of the step' },
  'Atomics.wait': { code: 'timer_used', hint: 'use context.condition()' },
  fetch: { code: 'io_used', hint: inStep },
  WebSocket: { code: 'io_used', hint: inStep },
  EventSource: { code: 'io_used', hint: inStep },
  XMLHttpRequest: { code: 'io_used', hint: inStep },
  Worker: { code: 'io_used', hint: inStep },
  MessageChannel: { code: 'io_used', hint: inStep },
  BroadcastChannel: { code: 'io_used', hint: 'use a signal' },
  Buffer: { code: 'io_used', hint: inStep },
  console: { code: 'io_used', hint: 'use context.log()' },
  process: { code: 'machine_read', hint: 'do it in a step, or pass it in the input' },
  navigator: { code: 'machine_read', hint: inStep },
  require: { code: 'node_imported', hint: inStep },
  globalThis: { code: 'state_kept', hint: noState },
  global: { code: 'state_kept', hint: noState },
  localStorage: { code: 'state_kept', hint: noState },
  sessionStorage: { code: 'state_kept', hint: noState },
  WeakRef: { code: 'state_kept', hint: 'garbage collection is not repeatable' },
  FinalizationRegistry: { code: 'state_kept', hint: 'garbage collection is not repeatable' },
  eval: { code: 'code_from_text', hint: 'write the code where it can be checked' },
  Intl: {
    code: 'language_dependent',
    hint: 'name the language and the time zone, or format in a step',
    isWarning: true,
  },
}

const prefix = '__kyros_forbidden_'
const markerOf = (name: string) => `${prefix}${name.replace('.', '_')}`
const nameOfMarker = new Map(Object.keys(forbiddenGlobals).map((name) => [markerOf(name), name]))
/**
 * The bundler renames every free use of these globals, and only free uses: a parameter or a property of the same
 * name is left alone. What is left of the markers after bundling is a use of the real thing.
 */
export const forbiddenGlobalDefines: Record<string, string> = Object.fromEntries(
  [...nameOfMarker].map(([marker, name]) => [name, marker]),
)

/** Every use of such a global that is left in a bundle; `placeOf` maps an offset of the bundle to the source. */
export function findGlobals(bundle: string, placeOf: (offset: number) => Place): WorkflowFault[] {
  const found = new Map<string, WorkflowFault>()
  for (const { 0: marker, index } of bundle.matchAll(new RegExp(`\\b${prefix}\\w+`, 'g'))) {
    const name = nameOfMarker.get(marker) ?? ''
    const forbidden = forbiddenGlobals[name]
    if (forbidden === undefined || isHarmless(name, bundle, index, index + marker.length)) continue
    const place = placeOf(index)
    const fault = forbidden.isWarning === true ? warningAt : errorAt
    // Once for a line, however often it stands there.
    found.set(
      `${name} ${place.file}:${place.line}`,
      fault(place, forbidden.code, `uses ${name}`, forbidden.hint),
    )
  }
  return [...found.values()]
}

/** A date that is made of a value reads no clock. */
function isHarmless(name: string, bundle: string, start: number, end: number): boolean {
  if (name !== 'Date') return false
  const before = bundle.slice(Math.max(0, start - 16), start)
  const after = bundle.slice(end, end + 8)
  if (/\binstanceof\s*$/.test(before)) return true
  return /\bnew\s*$/.test(before) ? /^\(\s*[^\s)]/.test(after) : /^\.(UTC|parse)\b/.test(after)
}

/** Gives the globals their names back, in a bundle in which no use of them is refused. */
export function restoreGlobals(bundle: string): string {
  return bundle.replaceAll(
    new RegExp(`\\b${prefix}\\w+`, 'g'),
    (marker) => nameOfMarker.get(marker) ?? marker,
  )
}
