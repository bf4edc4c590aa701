import type { Step } from '@kyros/contract/run'
import { expect, test } from 'vitest'
import { graphLayout, nodeHeight, nodeWidth } from './graph-layout.ts'

function step(command: number): Step {
  return {
    key: `Step#${command}`,
    ...{ name: 'Step', kind: 'step', command, status: 'completed', input: null, output: null },
    ...{
      max_attempts: 3,
      scheduled_at: '',
      started_at: null,
      completed_at: null,
      fire_at: null,
      attempts: [],
    },
  }
}

const fan = new Map([
  [2, [1]],
  [3, [1]],
  [4, [2, 3]],
])

function places() {
  const graph = graphLayout([1, 2, 3, 4].map(step), fan)
  return new Map(graph.nodes.map(({ step: { command }, left, top }) => [command, { left, top }]))
}

test('a step stands to the right of all that it came after', () => {
  const lefts = [1, 2, 3, 4].map((command) => places().get(command)?.left ?? Number.NaN)
  expect(lefts[1]).toBeGreaterThan((lefts[0] ?? 0) + nodeWidth)
  expect(lefts[2]).toBe(lefts[1])
  expect(lefts[3]).toBeGreaterThan((lefts[1] ?? 0) + nodeWidth)
})

test('steps beside each other do not overlap, and what they have in common stands between them', () => {
  const tops = [1, 2, 3].map((command) => places().get(command)?.top ?? Number.NaN)
  expect(tops[2]).toBeGreaterThan((tops[1] ?? 0) + nodeHeight)
  expect(tops[0]).toBe(((tops[1] ?? 0) + (tops[2] ?? 0)) / 2)
})

test('every dependency on a step that is drawn is an edge', () => {
  const keys = (commands: number[]) => graphLayout(commands.map(step), fan).edges.map(({ key }) => key)
  expect(keys([1, 2, 3, 4])).toEqual(['1-2', '1-3', '2-4', '3-4'])
  expect(keys([2, 4])).toEqual(['2-4'])
})

test('a run without steps has an empty graph', () => {
  expect(graphLayout([], new Map())).toMatchObject({ nodes: [], edges: [] })
})
