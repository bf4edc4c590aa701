import { expect, test } from 'vitest'
import { createLiveBlock } from './live-block.ts'
import { printTable } from './table.ts'
import { createTerminal, printable } from './terminal.ts'

function terminalOn(isTTY: boolean, env = {}) {
  let text = ''
  const stream = {
    isTTY,
    columns: 20,
    write: (more: string) => {
      text += more
      return true
    },
  }
  return { terminal: createTerminal({ stdout: stream, stderr: stream, env }), text: () => text }
}

const columns = [
  { title: 'NAME', value: (row: { name: string }) => row.name },
  { title: 'SIZE', value: () => '1', align: 'right' as const },
]

test('a pipe gets rows with tabs and no titles', () => {
  const { terminal, text } = terminalOn(false)
  printTable(terminal, columns, [{ name: 'a' }, { name: 'long' }])
  expect(text()).toBe('a\t1\nlong\t1\n')
})

test('a terminal gets aligned columns', () => {
  const { terminal, text } = terminalOn(true, { NO_COLOR: '1' })
  printTable(terminal, columns, [{ name: 'a' }])
  expect(text()).toBe('NAME  SIZE\na        1\n')
})

test('NO_COLOR turns colours off', () => {
  expect(terminalOn(true, { NO_COLOR: '1' }).terminal.paint('red', 'x')).toBe('x')
  expect(terminalOn(true).terminal.paint('red', 'x')).not.toBe('x')
})

test('what comes from outside cannot steer the terminal', () => {
  expect(printable('a\u001b[2Jb\u0007\u009bc')).toBe('a?[2Jb??c')
})

test('a line that is too long for the terminal is cut, so that redrawing finds its rows', () => {
  const { terminal, text } = terminalOn(true)
  const block = createLiveBlock(terminal)
  block.draw(['x'.repeat(50)])
  block.draw(['second'])
  block.end()
  expect(text()).toContain(`${'x'.repeat(18)}…\n`)
  expect(text()).toContain('\u001b[1A\u001b[0Jsecond')
})
