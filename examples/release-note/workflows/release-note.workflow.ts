// What is done, and in what order. This code is replayed from its history after every restart, so it touches nothing but
// `context` and its input; everything else is done in steps.
import { type Static, Type } from 'kyros/schema'
import { defineWorkflow } from 'kyros/workflow'
import type { ReleaseNoteSteps } from './release-note.steps.ts'

export const title = 'Release note'
export const description = 'Writes a release note, waits for somebody to approve it, and publishes it.'
export const stepTitles = {
  WriteNote: 'Writes the note from the list of changes',
  PublishNote: 'Keeps the note as a file of the run',
}

// The console makes its form from this, and no run starts with an input that does not fit.
export const inputSchema = Type.Object(
  {
    product: Type.String({ title: 'Product', minLength: 1, maxLength: 80 }),
    version: Type.String({ title: 'Version', pattern: '^\\d+\\.\\d+\\.\\d+$', examples: ['1.2.0'] }),
    changes: Type.Array(Type.String({ minLength: 1 }), { title: 'Changes', minItems: 1, maxItems: 100 }),
    patience_minutes: Type.Optional(
      Type.Integer({
        title: 'Patience',
        description: 'How many minutes to wait for an approval. 60 when left out.',
        minimum: 1,
        maximum: 43_200,
      }),
    ),
  },
  {
    additionalProperties: false,
    examples: [{ product: 'Kyros', version: '1.2.0', changes: ['Workflows of your own'] }],
  },
)

export const workflow = defineWorkflow<ReleaseNoteSteps>()({
  name: 'release_note',
  version: '1.0.0',
  run: async (context, input: Static<typeof inputSchema>) => {
    const { product, version, changes, patience_minutes: patienceMinutes = 60 } = input
    const note = await context.step.WriteNote({ product, version, changes })

    let approval: 'approved' | 'rejected' | undefined
    context.onSignal('review', (answer) => {
      approval = answer === 'approved' ? 'approved' : 'rejected'
    })
    // Durable: the server may be stopped while this waits, and goes on when it is back.
    const isAnswered = await context.condition(() => approval !== undefined, patienceMinutes * 60_000)

    if (!isAnswered) return { published: false, why: `nobody answered within ${patienceMinutes} minutes` }
    if (approval === 'rejected') return { published: false, why: 'it was rejected' }
    const { file } = await context.step.PublishNote(note)
    return { published: true, file }
  },
})
