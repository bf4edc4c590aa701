import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { wrongUsage } from '../command-line/command-error.ts'

const pipeTimeoutMs = 60_000

/** Asks for a password without showing it; from a pipe its first line is taken. */
export async function askPassword(prompt: string): Promise<string> {
  const isTerminal = process.stdin.isTTY === true
  // The prompt is written by hand, because what readline writes here is thrown away: it would echo the keys.
  if (isTerminal) process.stderr.write(prompt)
  const output = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output, terminal: isTerminal })
  try {
    const signal = isTerminal ? undefined : AbortSignal.timeout(pipeTimeoutMs)
    const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')))
    const answer = await Promise.race([signal ? lines.question('', { signal }) : lines.question(''), ended])
    if (answer.length > 0) return answer
  } finally {
    lines.close()
    if (isTerminal) process.stderr.write('\n')
  }
  throw wrongUsage('No password was given.', 'Type it, or pipe it in: `kyros login < password.txt`.')
}

/** Makes sure that something cannot be done by accident. @throws CommandError when it was not confirmed */
export async function confirm(question: string, isConfirmed: boolean): Promise<void> {
  if (isConfirmed) return
  if (process.stdin.isTTY === true) {
    const lines = createInterface({ input: process.stdin, output: process.stderr })
    try {
      const answer = await lines.question(`${question} Type yes to go on: `)
      if (answer.trim().toLowerCase() === 'yes') return
    } finally {
      lines.close()
    }
  }
  throw wrongUsage('Nothing was changed.', `${question} Repeat the command with --yes.`)
}
