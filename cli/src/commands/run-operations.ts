import type { Client } from '@kyros/client/client'
import type { CommandContext, CommandFunction } from '../command-line/command-context.ts'
import { wrongUsage } from '../command-line/command-error.ts'
import { exitCode } from '../command-line/exit-code.ts'
import { connect } from '../connect/connect.ts'
import { idArgument } from './arguments.ts'
import { followRun } from './follow-run.ts'
import { printRun } from './runs.ts'

export const pauseRun: CommandFunction = async (context) => {
  const { client } = await connect(context)
  printRun(context, await client.call('pauseRun', { params: { id: idArgument(context) } }))
  return exitCode.done
}

export const resumeRun: CommandFunction = async (context) => {
  const { client } = await connect(context)
  printRun(context, await client.call('resumeRun', { params: { id: idArgument(context) } }))
  return exitCode.done
}

export const forkRun: CommandFunction = async (context) => {
  const id = idArgument(context)
  const from = context.options.text('from')
  if (from === undefined) {
    throw wrongUsage(
      'It is not said from which step on.',
      `Give --from and the key of a step: ${context.callName} runs get ${id}`,
    )
  }
  const { client } = await connect(context)
  const body = { from_step: from, ...(context.options.flag('newJob') && { new_job: true }) }
  const started = await client.call('forkRun', { params: { id }, body })
  if (context.options.flag('follow')) return followRun(context, started.run_id)
  if (context.wantsJson) context.terminal.json(started)
  else context.terminal.out(started.run_id)
  return exitCode.done
}

export const upgradeRun: CommandFunction = async (context) => {
  const { client } = await connect(context)
  const wanted = context.options.text('to')
  const body = wanted === undefined ? {} : { definition: await wholeHash(client, wanted) }
  const upgraded = await client.call('upgradeRun', { params: { id: idArgument(context) }, body })
  if (context.wantsJson) context.terminal.json(upgraded)
  else {
    const verb = upgraded.moved ? 'is now on' : 'was on this one already:'
    const { version, definition: hash } = upgraded
    context.terminal.out(`The run ${verb} version ${version} (${hash.slice(0, 12)}).`)
  }
  return exitCode.done
}

/** People type the beginning that `kyros workflows` shows; the server takes the whole. */
async function wholeHash(client: Client, wanted: string): Promise<string> {
  if (/^[0-9a-f]{64}$/.test(wanted)) return wanted
  const { versions } = await client.call('listWorkflowVersions')
  const found = versions.filter(({ definition }) => definition.startsWith(wanted))
  if (found.length === 1 && found[0] !== undefined) return found[0].definition
  const what = found.length === 0 ? 'No definition begins' : `${found.length} definitions begin`
  throw wrongUsage(`${what} with ${wanted}.`, 'See them all with `kyros workflows --json`.')
}

const limitBounds = { minimum: 1, maximum: 1_000_000_000 }

export const setBudget: CommandFunction = async (context) => {
  const seconds = context.options.integer('timeSeconds', limitBounds)
  const tokens = context.options.integer('tokens', { ...limitBounds, maximum: 1_000_000_000_000 })
  const costUsd = amount(context, 'costUsd')
  if (seconds === undefined && tokens === undefined && costUsd === undefined) {
    throw wrongUsage('No limit is given.', 'Give --time-seconds, --tokens or --cost-usd.')
  }
  const body = {
    ...(seconds !== undefined && { time_ms: seconds * 1000 }),
    ...(tokens !== undefined && { tokens }),
    ...(costUsd !== undefined && { cost_usd: costUsd }),
  }
  const { client } = await connect(context)
  printRun(context, await client.call('setRunBudget', { params: { id: idArgument(context) }, body }))
  return exitCode.done
}

function amount(context: CommandContext, name: string): number | undefined {
  const text = context.options.text(name)
  if (text === undefined) return undefined
  const value = Number(text)
  if (Number.isFinite(value) && value > 0) return value
  throw wrongUsage(`--cost-usd is not right: ${text}`, 'Give an amount above 0, for example 2.5.')
}
