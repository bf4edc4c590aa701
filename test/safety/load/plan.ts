// Which runs there are and what each must come to: the model that the history is checked against.
import type { Json, JsonObject } from '@kyros/contract/json'
import type { CatalogueEntry } from '@kyros/workflows/catalogue'

export const planned = [
  ...([
    'ordered',
    'fanned',
    'retried',
    'timed',
    'collecting',
    'relayed',
    'parented',
    'large',
    'cancelled',
    'asked',
  ] as const),
] as const
/** Workflows that take `add` until `close` comes, and return what they got in its order. */
export const signalled: readonly string[] = ['collecting', 'relayed']
/** The same with updates, which `approval`, a waitpoint, ends; what answered it comes last. */
export const asked: Planned = 'asked'
/** A completed one is forked now and then, from its second step. */
export const forked: Planned = 'ordered'
export const forkedFrom = 'Add#2'
export type Planned = (typeof planned)[number]

const largeChars = 70_000

export const loadCatalogue: readonly CatalogueEntry[] = planned.map((name) => ({
  name,
  version: '1.0.0',
  title: name,
  description: `Load of the safety tests: ${name}`,
  inputSchema: {},
  steps: [],
  entry: new URL('./workflows.ts', import.meta.url),
  exportName: name,
}))

export function inputOf(workflow: Planned, value: number): JsonObject {
  if (workflow === 'timed') return { value, ms: 20 + (value % 7) * 40 }
  return workflow === 'large' ? { value, chars: largeChars + (value % 1000) } : { value }
}

/** What a run of the plan returns; undefined: the signals it got in their order, or nothing, decide. */
export function resultOf(workflow: Planned, input: JsonObject): Json | undefined {
  const value = Number(input.value)
  if (workflow === 'ordered') return [value + 1, value + 2, value + 3]
  if (workflow === 'fanned') return value * 10 + 5
  if (workflow === 'retried' || workflow === 'timed') return value + 2
  // Two children with v+1, v+2, v+3 of their inputs, and one more.
  if (workflow === 'parented') return 2 * (3 * value + 6) + 3 * 10 + 1
  return workflow === 'large' ? Number(input.chars) + 1 : undefined
}
