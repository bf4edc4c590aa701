import { describe, expect, test } from 'vitest'
import { declarations } from './declarations.ts'
import { runProgram } from './program.ts'
import { createTerminal } from './terminal.ts'

function collecting() {
  let text = ''
  const stream = {
    write: (more: string) => {
      text += more
      return true
    },
  }
  const terminal = createTerminal({ stdout: stream, stderr: stream, env: {} })
  const base = { terminal, env: {}, directory: '/', version: '1.2.3', callName: 'kyros' }
  return { base, text: () => text }
}

describe.each(declarations.map((declaration) => [declaration.path, declaration] as const))(
  'kyros %s',
  (path, { example }) => {
    test('has help with its example', async () => {
      const { base, text } = collecting()
      expect(await runProgram([...path.split(' '), '--help'], base)).toBe(0)
      expect(text()).toContain(`$ ${example}`)
      expect(example).toContain('kyros')
    })
    test('loads its code', async () => {
      const declaration = declarations.find((each) => each.path === path)
      expect(await declaration?.load()).toBeTypeOf('function')
    })
  },
)

test('--version prints the version alone', async () => {
  const { base, text } = collecting()
  expect(await runProgram(['--version'], base)).toBe(0)
  expect(text()).toBe('1.2.3\n')
})

test('a word that is nearly a command is named', async () => {
  const { base } = collecting()
  await expect(runProgram(['doctr'], base)).rejects.toMatchObject({
    message: "unknown command 'doctr'",
    next: expect.stringContaining('doctor'),
    exitCode: 2,
  })
})

test('a missing argument is wrong usage', async () => {
  await expect(runProgram(['jobs', 'get'], collecting().base)).rejects.toMatchObject({ exitCode: 2 })
})
