import type { CommandContext } from '../command-line/command-context.ts'
import { type ExitCode, exitCode } from '../command-line/exit-code.ts'
export async function runDev(_context: CommandContext): Promise<ExitCode> {
  return exitCode.done
}
