import { problem } from '@kyros/contract/problem'
import type { BudgetLimits } from '../../engine.ts'
import type { LiveRun } from '../live-run.ts'

/** From whom an order comes, and the message it came by where another process sent it. */
export type Sender = { actor: string; inboxId?: number | undefined }

const inbox = ({ inboxId }: Sender) => (inboxId === undefined ? {} : { inbox_id: inboxId })

/** Durable when this resolves. @throws run_ended */
export function pauseRun(run: LiveRun, sender: Sender): Promise<void> {
  const { actor } = sender
  return run.act((hands, done, lost) => {
    const control = run.controlled()
    if (hands.isTaken(sender.inboxId) || control.paused !== undefined) {
      done()
      return
    }
    const event = hands.push({ type: 'run.pause_requested', actor, data: inbox(sender) }, done, lost)
    control.fold(event, actor)
    hands.letGo()
  })
}

/** Durable when this resolves. @throws run_ended, run_not_paused */
export function resumeRun(run: LiveRun, sender: Sender): Promise<void> {
  const { actor } = sender
  return run.act((hands, done, lost) => {
    const control = run.controlled()
    if (hands.isTaken(sender.inboxId)) {
      done()
    } else if (control.paused === undefined) {
      lost(problem('run_not_paused', { detail: `The run ${run.facts.runId} is not paused.` }))
    } else {
      const event = hands.push({ type: 'run.resume_requested', actor, data: inbox(sender) }, done, lost)
      control.fold(event, actor)
      hands.letGo()
    }
  })
}

/** Durable when this resolves. What is not named keeps its limit. @throws run_ended */
export function setBudget(run: LiveRun, limits: BudgetLimits, sender: Sender): Promise<void> {
  const { actor } = sender
  return run.act((hands, done, lost) => {
    if (hands.isTaken(sender.inboxId)) {
      done()
      return
    }
    const control = run.controlled()
    const { timeMs, tokens, costUsd } = { ...control.limits, ...limits }
    const data = {
      ...(timeMs === undefined ? {} : { time_ms: timeMs }),
      ...(tokens === undefined ? {} : { tokens }),
      ...(costUsd === undefined ? {} : { cost_usd: costUsd }),
      ...inbox(sender),
    }
    control.fold(hands.push({ type: 'run.budget_set', actor, data }, done, lost), actor)
    control.onActive(run, run.steps.isActive)
    control.enforce(run, hands)
    hands.letGo()
  })
}

/** Durable when this resolves. @throws run_ended */
export function reportUsage(
  run: LiveRun,
  used: { tokens?: number; costUsd?: number },
  inboxId?: number,
): Promise<void> {
  return run.act((hands, done, lost) => {
    if (hands.isTaken(inboxId)) {
      done()
      return
    }
    const control = run.controlled()
    const { tokens, costUsd } = used
    const data = {
      ...(tokens === undefined ? {} : { tokens }),
      ...(costUsd === undefined ? {} : { cost_usd: costUsd }),
      ...(inboxId === undefined ? {} : { inbox_id: inboxId }),
    }
    control.fold(hands.push({ type: 'budget.used', data }, done, lost), undefined)
    control.enforce(run, hands)
  })
}
