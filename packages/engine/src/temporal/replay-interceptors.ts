import type { ConcludeActivationInput, WorkflowInterceptors } from '@temporalio/workflow'

type Command = ConcludeActivationInput['commands'][number]

/**
 * For the replay of converted histories only: cancellations come first, in the order in which their targets were begun,
 * as `convert-order.ts` writes them. Nothing depends on their order, and the engines have another one.
 */
export const interceptors = (): WorkflowInterceptors => ({
  internals: [
    {
      concludeActivation: (input, next) => next({ ...input, commands: inOrder(input.commands) }),
    },
  ],
})

function inOrder(commands: readonly Command[]): Command[] {
  const begun = new Set(commands.flatMap((command) => beginOf(command) ?? []))
  const isCancel = (command: Command) => {
    const rank = rankOf(command)
    return rank !== undefined && !begun.has(rank.join())
  }
  const cancels = commands.filter(isCancel).toSorted((a, b) => compare(rankOf(a), rankOf(b)))
  return [...cancels, ...commands.filter((command) => !isCancel(command))]
}

function beginOf({ startTimer, scheduleActivity, startChildWorkflowExecution }: Command): string | undefined {
  if (startTimer) return `0,${startTimer.seq}`
  if (scheduleActivity) return `1,${scheduleActivity.seq}`
  return startChildWorkflowExecution ? `2,${startChildWorkflowExecution.seq}` : undefined
}

function rankOf(command: Command): [number, number] | undefined {
  const { cancelTimer, requestCancelActivity, cancelChildWorkflowExecution } = command
  if (cancelTimer) return [0, cancelTimer.seq ?? 0]
  if (requestCancelActivity) return [1, requestCancelActivity.seq ?? 0]
  return cancelChildWorkflowExecution ? [2, cancelChildWorkflowExecution.childWorkflowSeq ?? 0] : undefined
}

function compare(a: [number, number] | undefined, b: [number, number] | undefined): number {
  if (a === undefined || b === undefined) return 0
  return a[0] - b[0] || a[1] - b[1]
}
