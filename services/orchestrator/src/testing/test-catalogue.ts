import type { CatalogueEntry } from '@kyros/workflows/catalogue'
import type { StepContext } from '@kyros/workflows/step-context'
import { StepError } from '@kyros/workflows/step-error'
import { Type } from 'typebox'

const entry = new URL('./test-workflows.ts', import.meta.url)
const talking = new URL('./talking-workflows.ts', import.meta.url)
const step = (name: string) => [{ name, description: `Does ${name}` }]
const common = { version: '1.0.0', description: 'For tests', entry, steps: [], inputSchema: Type.Object({}) }

export const testCatalogue: readonly CatalogueEntry[] = [
  {
    ...common,
    name: 'greet',
    title: 'Greeting',
    exportName: 'greet',
    steps: step('Greet'),
    inputSchema: Type.Object({ name: Type.String({ minLength: 1 }) }, { additionalProperties: false }),
  },
  { ...common, name: 'hold', title: 'Hold', exportName: 'hold' },
  {
    ...common,
    name: 'fill',
    title: 'Fill',
    exportName: 'fill',
    steps: step('Fill'),
    inputSchema: Type.Object({ bytes: Type.Integer() }),
  },
  { ...common, name: 'hang', title: 'Hang', exportName: 'hang', steps: step('Hang') },
  { ...common, entry: talking, name: 'talk', title: 'Talk', exportName: 'talk', steps: step('Tell') },
  { ...common, entry: talking, name: 'spread', title: 'Spread', exportName: 'spread', steps: step('Spread') },
  { ...common, entry: talking, name: 'twice', title: 'Twice', exportName: 'twice', steps: step('Work') },
  { ...common, entry: talking, name: 'march', title: 'March', exportName: 'march', steps: step('Work') },
  { ...common, entry: talking, name: 'single', title: 'Single', exportName: 'single' },
  { ...common, name: 'fault', title: 'Fault', exportName: 'fault', steps: step('Break') },
]

async function greetByName({ name }: { name: string }, context: StepContext) {
  context.log('info', `greeting ${name}`)
  await context.artifacts.put('report.md', 'text/markdown', `# Hello ${name}\n`)
  await context.artifacts.put('page.html', 'text/html', '<script>alert(1)</script>')
  await context.artifacts.put('überblick "neu".txt', 'text/plain', 'x')
  context.log('warn', 'done')
  return { greeting: `Hello ${name}` }
}

function hangUntilStopped(_input: unknown, context: StepContext): Promise<never> {
  return new Promise((_resolve, reject) => {
    context.signal.addEventListener('abort', () => reject(context.signal.reason), { once: true })
  })
}

/** Writes what it is told to the stream `words`, and hands it back. */
async function tell({ text }: { text: string }, context: StepContext) {
  for (const word of ['all', 'is', 'well']) await context.stream.write('words', word)
  return { told: text }
}

/** Leaves what it was given in every place that a step can write to. */
async function spread({ link }: { link: string }, context: StepContext) {
  const token = link.replace(/^.*answer\/|\?.*$/g, '')
  context.log('info', `mailed ${link}`)
  await context.stream.write('links', { link })
  await context.artifacts.put('mail.txt', 'text/plain', `Ünswer at ${link}`)
  await context.artifacts.put(`${token}.txt`, 'text/plain', 'x')
  return { link }
}

export const testSteps = {
  talk: { Tell: tell },
  spread: { Spread: spread },
  twice: { Work: async ({ name }: { name: string }) => ({ name }) },
  march: { Work: async () => null },
  single: {},
  greet: { Greet: greetByName },
  fill: { Fill: async ({ bytes }: { bytes: number }) => ({ text: 'x'.repeat(bytes) }) },
  hang: { Hang: hangUntilStopped },
  fault: {
    Break: async () => {
      throw new StepError('tool_broken', 'The tool is broken. Mend it.', { retryable: true })
    },
  },
}
