import type { Step } from '@kyros/contract/run'

export type GraphNode = { step: Step; left: number; top: number }
export type GraphEdge = { key: string; path: string; isDone: boolean }
/** Lengths are CSS pixels. */
export type Graph = { nodes: GraphNode[]; edges: GraphEdge[]; width: number; height: number }

export const nodeWidth = 216
export const nodeHeight = 68
const columnGap = 56
const rowGap = 16
const margin = 4

/** Lays steps out from left to right: each one column after the last of those that it came after. */
export function graphLayout(steps: readonly Step[], parents: ReadonlyMap<number, readonly number[]>): Graph {
  const ordered = [...steps].sort((a, b) => a.command - b.command)
  const columns = columnsOf(ordered, parents)
  const most = Math.max(0, ...columns.map(({ length }) => length))
  const height = Math.max(0, most * (nodeHeight + rowGap) - rowGap) + 2 * margin
  const nodes = columns.flatMap((column, index) =>
    column.map((step, row) => ({
      step,
      left: margin + index * (nodeWidth + columnGap),
      top: margin + (row + (most - column.length) / 2) * (nodeHeight + rowGap),
    })),
  )
  const byCommand = new Map(nodes.map((node) => [node.step.command, node]))
  const edges = nodes.flatMap((to) =>
    (parents.get(to.step.command) ?? []).flatMap((command) => {
      const from = byCommand.get(command)
      return from === undefined ? [] : [edgeOf(from, to)]
    }),
  )
  const width = Math.max(0, columns.length * (nodeWidth + columnGap) - columnGap) + 2 * margin
  return { nodes, edges, width, height }
}

/** A step is scheduled after its parents were, so that theirs is known when its own column is asked for. */
function columnsOf(steps: readonly Step[], parents: ReadonlyMap<number, readonly number[]>): Step[][] {
  const columnOf = new Map<number, number>()
  const columns: Step[][] = []
  for (const step of steps) {
    const before = (parents.get(step.command) ?? []).map((command) => columnOf.get(command) ?? 0)
    const column = before.length === 0 ? 0 : Math.max(...before) + 1
    columnOf.set(step.command, column)
    while (columns.length <= column) columns.push([])
    columns[column]?.push(step)
  }
  return columns
}

function edgeOf(from: GraphNode, to: GraphNode): GraphEdge {
  const startX = from.left + nodeWidth
  const startY = from.top + nodeHeight / 2
  const endX = to.left - 1
  const endY = to.top + nodeHeight / 2
  const bend = columnGap / 2
  return {
    key: `${from.step.command}-${to.step.command}`,
    path: `M${startX},${startY} C${startX + bend},${startY} ${endX - bend},${endY} ${endX},${endY}`,
    isDone: from.step.status === 'completed',
  }
}
