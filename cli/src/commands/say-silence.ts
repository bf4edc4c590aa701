import type { Terminal } from '../command-line/terminal.ts'

const patienceMs = 3_000

/** Says on standard error, once, that nothing has come for a while; the returned function says that something has. */
export function saySilence(terminal: Pick<Terminal, 'note'>, what: string): () => void {
  const timer = setTimeout(() => terminal.note(`${what} Ctrl-C ends the waiting.`), patienceMs)
  timer.unref()
  return () => clearTimeout(timer)
}
