// How it is done: any Node code. A step is tried again when it throws, and may run more than once before its result is
// recorded; after that it never runs again.
import type { StepContext } from 'kyros/steps'
import { StepError } from 'kyros/steps'

export type Note = { text: string }
type Release = { product: string; version: string; changes: readonly string[] }

export const steps = {
  WriteNote: async ({ product, version, changes }: Release, context: StepContext): Promise<Note> => {
    context.log('info', `${changes.length} changes in ${product} ${version}`)
    const lines = changes.map((change) => change.trim()).filter((change) => change !== '')
    // Trying again would not help: the input stays the same.
    if (lines.length === 0)
      throw new StepError('changes_empty', 'Name at least one change.', { retryable: false })
    return { text: [`# ${product} ${version}`, '', ...lines.map((line) => `- ${line}`), ''].join('\n') }
  },

  PublishNote: async ({ text }: Note, context: StepContext): Promise<{ file: string }> => {
    const file = 'release-note.md'
    await context.artifacts.put(file, 'text/markdown', text)
    return { file }
  },
}

/** What the definition knows of the steps: their types. */
export type ReleaseNoteSteps = typeof steps
