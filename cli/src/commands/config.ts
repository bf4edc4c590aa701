import { originText } from '@kyros/kernel/config/assigned'
import { redacted } from '@kyros/kernel/config/redact'
import type { CommandFunction } from '../command-line/command-context.ts'
import { exitCode } from '../command-line/exit-code.ts'
import { printTable } from '../command-line/table.ts'
import { openConfig } from '../compose/open-config.ts'

/** `kyros config`: every effective value, secrets hidden, with where it came from. */
export const showConfig: CommandFunction = async (context) => {
  const { settings, notices } = openConfig(context)
  const rows = settings
    .map(({ setting, value, origin }) => {
      return { key: setting.path, value: redacted(setting, value) ?? null, origin: originText(origin) }
    })
    .filter((row) => context.wantsJson || context.options.flag('all') || row.origin !== 'default')
  if (context.wantsJson) {
    context.terminal.json({ settings: rows, notices })
    return exitCode.done
  }
  printTable(
    context.terminal,
    [
      { title: 'KEY', value: (row) => row.key },
      { title: 'VALUE', value: (row) => String(row.value ?? '') },
      { title: 'FROM', value: (row) => row.origin },
    ],
    rows,
  )
  if (rows.length === 0)
    context.terminal.note(`Every setting has its default; \`${context.callName} config --all\` lists them.`)
  for (const notice of notices) context.terminal.note(notice)
  return exitCode.done
}
