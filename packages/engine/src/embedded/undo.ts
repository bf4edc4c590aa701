import { failureOf } from '@kyros/workflows/failures'

export type Undo = () => Promise<unknown>

/** Runs compensations one after the other, and gives what failed of them as text. @throws a bug in one of them */
export async function undoAll(compensations: readonly Undo[]): Promise<string[]> {
  const failures: string[] = []
  for (const undo of compensations) {
    try {
      await undo()
    } catch (error) {
      const failure = failureOf(error)
      if (failure === undefined) throw error
      failures.push(failureText(failure))
    }
  }
  return failures
}

export function failureText({ code, message }: { code: string; message: string }): string {
  return `${code}: ${message}`
}
