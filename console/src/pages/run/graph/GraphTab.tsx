import type { Run, Step } from '@kyros/contract/run'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { runEventsQuery } from '../../../api/queries.ts'
import { formatCount } from '../../../format/quantity.ts'
import { EmptyState, ErrorState, LoadingLines } from '../../../ui/PageState.tsx'
import { StatusLabel } from '../../../ui/StatusLabel.tsx'
import { DurationText } from '../../../ui/TimeText.tsx'
import { type GraphNode, graphLayout, nodeHeight, nodeWidth } from './graph-layout.ts'
import { stepParents } from './step-parents.ts'

/** More boxes than this are no picture any more; the timeline has them all. */
const maxNodes = 200

type Props = { run: Run; selectedKey: string | undefined; onSelect: (key: string) => void }

/** Which step came after which. */
export function GraphTab({ run, selectedKey, onSelect }: Props) {
  const { data: events, error, isPending, refetch } = useQuery(runEventsQuery(run.id))
  const parents = useMemo(() => stepParents(events ?? []), [events])
  if (isPending) return <LoadingLines lines={6} label="Loading the graph" />
  if (events === undefined) return <ErrorState error={error} onRetry={() => void refetch()} />
  if (run.steps.length === 0) {
    return (
      <EmptyState title="No step has begun yet">
        Steps appear here as the workflow asks for them, each after those whose end it waited for.
      </EmptyState>
    )
  }
  const shown = run.steps.slice(0, maxNodes)
  const { nodes, edges, width, height } = graphLayout(shown, parents)
  return (
    <>
      {shown.length < run.steps.length && (
        <p className="k-notice">{`The first ${maxNodes} of ${formatCount(run.steps.length)} steps are drawn; the timeline has them all.`}</p>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable without a mouse. */}
      <section className="k-graph" aria-label="Graph of the steps" tabIndex={0}>
        <div className="k-graph__plane" style={{ inlineSize: width, blockSize: height }}>
          <svg width={width} height={height} aria-hidden="true">
            <defs>
              <marker
                id="k-arrow"
                viewBox="0 0 8 8"
                refX="7"
                refY="4"
                markerWidth="7"
                markerHeight="7"
                orient="auto"
              >
                <path d="M0,0 L8,4 L0,8 z" />
              </marker>
            </defs>
            {edges.map(({ key, path, isDone }) => (
              <path
                key={key}
                d={path}
                markerEnd="url(#k-arrow)"
                className={isDone ? 'k-graph__edge' : 'k-graph__edge k-graph__edge--open'}
              />
            ))}
          </svg>
          <ol>
            {nodes.map((node) => (
              <Node
                key={node.step.key}
                node={node}
                after={namesOf(shown, parents.get(node.step.command) ?? [])}
                isSelected={node.step.key === selectedKey}
                onSelect={onSelect}
              />
            ))}
          </ol>
        </div>
      </section>
    </>
  )
}

type NodeProps = {
  node: GraphNode
  after: readonly string[]
  isSelected: boolean
  onSelect: (key: string) => void
}

function Node({ node: { step, left, top }, after, isSelected, onSelect }: NodeProps) {
  const tries = step.attempts.length
  return (
    <li
      style={{ insetInlineStart: left, insetBlockStart: top, inlineSize: nodeWidth, blockSize: nodeHeight }}
    >
      <button
        type="button"
        className={`k-node k-node--${step.status}`}
        aria-pressed={isSelected}
        onClick={() => onSelect(step.key)}
      >
        <span className="k-node__name" title={step.name}>
          {step.name}
        </span>
        <span className="k-node__facts">
          <StatusLabel status={step.status} />
          {tries > 1 && <span className="k-faint k-number">{`${tries} tries`}</span>}
          <DurationText of={step} />
        </span>
        {/* The lines say it to the eye alone. */}
        {after.length > 0 && <span className="k-hidden">{`after ${after.join(', ')}`}</span>}
      </button>
    </li>
  )
}

function namesOf(steps: readonly Step[], commands: readonly number[]): string[] {
  return steps.filter(({ command }) => commands.includes(command)).map(({ name }) => name)
}
