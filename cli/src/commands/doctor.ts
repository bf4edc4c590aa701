import { resolve } from 'node:path'
import { withCallName } from '../command-line/call-name.ts'
import type { CommandContext, CommandFunction } from '../command-line/command-context.ts'
import { exitCode } from '../command-line/exit-code.ts'
import { openConfig } from '../compose/open-config.ts'
import { secretKeyFault } from '../compose/secret-key.ts'
import { runningServer } from '../connect/server-file.ts'
import type { Check, Finding } from '../doctor/check.ts'
import {
  clock,
  consoleBuild,
  dataDirectory,
  disk,
  git,
  memory,
  runtime,
  sandbox,
} from '../doctor/machine-checks.ts'
import { database, ports, redis, temporal } from '../doctor/network-checks.ts'
import { ownWorkflows } from '../doctor/workflow-checks.ts'

const secretKey: Check = async ({ config }) => {
  const fault = secretKeyFault(config.environment, config.security.secret_key)
  const name = 'secret key'
  return fault === undefined
    ? [{ name, status: 'ok', detail: config.security.secret_key === undefined ? 'made here' : 'set' }]
    : [{ name, status: 'fault', detail: fault.what, mend: fault.next }]
}

const checks: readonly Check[] = [
  runtime,
  memory,
  disk,
  dataDirectory,
  clock,
  git,
  sandbox,
  consoleBuild,
  secretKey,
  ownWorkflows,
  ports,
  database,
  redis,
  temporal,
]

/** `kyros doctor`: every check in turn; fails when one found a fault. */
export const doctor: CommandFunction = async (context) => {
  const { terminal } = context
  const { config, notices } = openConfig(context)
  const isInMemory = config.data_dir === ':memory:'
  const dataDir = isInMemory ? undefined : resolve(context.directory, config.data_dir)
  const serverUrl = dataDir === undefined ? undefined : runningServer(dataDir)?.url
  const findings: Finding[] = []
  for (const check of checks) {
    const found = await check({ config, directory: context.directory, dataDir, serverUrl })
    findings.push(...found)
    if (!context.wantsJson) for (const finding of found) printFinding(context, finding)
  }
  const faults = findings.filter((finding) => finding.status === 'fault').length
  if (context.wantsJson) terminal.json({ ok: faults === 0, checks: findings, notices })
  else {
    for (const notice of notices) terminal.out(`  ${terminal.paint('dim', notice)}`)
    terminal.out(faults === 0 ? 'Kyros can run here.' : `${faults} to mend.`)
  }
  return faults === 0 ? exitCode.done : exitCode.failed
}

function printFinding({ terminal, callName }: CommandContext, finding: Finding): void {
  const name = finding.name.padEnd(15)
  if (finding.status === 'ok') {
    terminal.out(`${terminal.paint('green', 'ok  ')} ${name} ${finding.detail}`)
    return
  }
  const mark = finding.status === 'fault' ? terminal.paint('red', 'BAD ') : terminal.paint('yellow', 'note')
  terminal.out(`${mark} ${name} ${finding.detail}`)
  terminal.out(`     ${' '.repeat(15)} → ${withCallName(finding.mend, callName)}`)
}
