import type { Run } from '@kyros/contract/run'
import type { BudgetChange } from '@kyros/contract/run-operation'
import type { BudgetLimits, Engine } from '@kyros/engine/engine'
import type { Caller } from '@kyros/kernel/verifier'
import type { ApiContext } from '../context.ts'
import { getRun, getRunRecord } from './get-run.ts'
import { mustOwnRun } from './must-own.ts'

/** Durable when this resolves; attempts under way end first. @throws run_not_found, permission_denied, run_ended */
export function pauseRun(context: ApiContext, id: string, caller: Caller): Promise<Run> {
  return change(context, id, caller, (engine) => engine.pause(id, caller))
}

/** @throws run_not_found, permission_denied, run_ended, run_not_paused */
export function resumeRun(context: ApiContext, id: string, caller: Caller): Promise<Run> {
  return change(context, id, caller, (engine) => engine.resume(id, caller))
}

/** Limits that are not named stay as they are. @throws run_not_found, permission_denied, run_ended */
export function setBudget(
  context: ApiContext,
  id: string,
  { time_ms, tokens, cost_usd }: BudgetChange,
  caller: Caller,
): Promise<Run> {
  const limits: BudgetLimits = {
    ...(time_ms !== undefined && { timeMs: time_ms }),
    ...(tokens !== undefined && { tokens }),
    ...(cost_usd !== undefined && { costUsd: cost_usd }),
  }
  return change(context, id, caller, (engine) => engine.setBudget(id, limits, caller))
}

async function change(
  context: ApiContext,
  id: string,
  caller: Caller,
  act: (engine: Engine) => Promise<void>,
): Promise<Run> {
  const { job_id } = await getRunRecord(context.store, id)
  await mustOwnRun(context.store, job_id, caller)
  await act(context.engine)
  return getRun(context.store, id)
}
