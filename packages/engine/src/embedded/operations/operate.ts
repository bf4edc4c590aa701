import type { Json, JsonObject } from '@kyros/contract/json'
import type { InboxMessage } from '@kyros/store/command'
import type { BudgetLimits } from '../../engine.ts'
import type { EngineParts } from '../engine-parts.ts'
import type { LiveRun } from '../live-run.ts'
import type { RunTable } from '../run-table.ts'
import { pauseRun, reportUsage, resumeRun, type Sender, setBudget } from './control-run.ts'
import { readRun } from './read-run.ts'
import { updateByInbox } from './update-elsewhere.ts'
import { findTarget, upgradeLive } from './upgrade-run.ts'
import { answerLive } from './waitpoint.ts'

/** What is done to a run, as it travels from a process that does not run the engine. Payloads are as the log keeps them. */
export type Operation =
  | { kind: 'pause' | 'resume' }
  | { kind: 'set_budget'; limits: BudgetLimits }
  | { kind: 'report_usage'; used: { tokens?: number; costUsd?: number } }
  | { kind: 'upgrade'; definition: string }
  | { kind: 'update'; name: string; updateId: string; stored: Json }
  | { kind: 'answer_waitpoint'; part: number; command: number; stored: Json }

export type OperateParts = EngineParts & { table: RunTable }

/** The message that carries an operation to the process that runs the engine. */
export function messageOf(runId: string, operation: Operation, actor: string): InboxMessage {
  const fields: JsonObject = { ...operation }
  return { type: 'operate', runId, operation: fields, actor }
}

/** The operation in a message. */
export function operationIn(message: Extract<InboxMessage, { type: 'operate' }>): Operation {
  // Border cast: only `messageOf` makes these messages.
  return message.operation as Operation
}

/** Durable when this resolves. @throws run_ended, and what the operation itself throws */
export async function operate(
  parts: OperateParts,
  run: LiveRun,
  operation: Operation,
  sender: Sender,
): Promise<void> {
  switch (operation.kind) {
    case 'pause':
      return pauseRun(run, sender)
    case 'resume':
      return resumeRun(run, sender)
    case 'set_budget':
      return setBudget(run, operation.limits, sender)
    case 'report_usage':
      return reportUsage(run, operation.used, sender.inboxId)
    case 'update':
      return updateByInbox(parts.store, run, { ...operation, actor: sender.actor })
    case 'upgrade': {
      const record = await readRun(parts.store, run.facts.runId)
      const target = await findTarget(parts, record, operation.definition)
      await upgradeLive(parts, run, record, target, sender)
      return
    }
    case 'answer_waitpoint': {
      const { part, command, stored } = operation
      const ref = { runId: run.facts.runId, part, command }
      // One that was answered meanwhile stays answered.
      await answerLive(parts, run, { ref, stored }, sender)
    }
  }
}
