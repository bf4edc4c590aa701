import fc from 'fast-check'
import { expect, test } from 'vitest'
import { anyWorkflow, type Op, performWorkflow } from './any-workflow.ts'
import { loadedFrom, PaperEngine } from './paper-engine.ts'

const definitionOf = (ops: readonly Op[]) => ({
  name: 'any',
  version: '1',
  run: (context: Parameters<typeof performWorkflow>[0]) => performWorkflow(context, ops),
})

/** Lets happen what `choice` picks of all that could: an end of what is under way, a message, a cancellation. */
async function happenAny(paper: PaperEngine, choice: number, number: number): Promise<void> {
  if (choice % 37 === 0) return paper.cancel()
  if (choice % 5 === 0) return paper.signal('go', number)
  if (choice % 11 === 0) return void (await paper.update('ask', `u${number}`, number))
  const open = [...paper.open.values()]
  const command = open[choice % open.length]
  const goesWell = choice % 3 > 0
  switch (command?.kind) {
    case 'step':
      return goesWell ? paper.step(command.key, { number }) : paper.failStep(command.key)
    case 'timer':
      return paper.fire(command.name)
    case 'waitpoint':
      return goesWell ? paper.answer(command.name, { number }) : paper.expire(command.name)
    case 'child':
      return goesWell ? paper.completeChild(command.key, { number }) : paper.failChild(command.key)
    default:
      return paper.signal('go', number)
  }
}

async function play(ops: readonly Op[], choices: readonly number[]): Promise<PaperEngine> {
  const paper = new PaperEngine(loadedFrom(definitionOf(ops)))
  await paper.happen({ type: 'run.started', data: {} })
  for (const [number, choice] of choices.entries()) {
    if (paper.outcome !== undefined) break
    await happenAny(paper, choice, number)
  }
  return paper
}

const anyChoices = fc.array(fc.nat(10_000), { maxLength: 25 })

test('any workflow asks for the same when it is replayed from any point, and comes to the same end', async () => {
  await fc.assert(
    fc.asyncProperty(anyWorkflow, anyChoices, async (ops, choices) => {
      const paper = await play(ops, choices)
      expect(await paper.divergences()).toEqual([])
      expect((await paper.replay()).outcome).toEqual(paper.outcome)
    }),
    { numRuns: 1500 },
  )
})

test('no workflow is blocked by what happens to it, and none leaves anything under way behind its end', async () => {
  await fc.assert(
    fc.asyncProperty(anyWorkflow, anyChoices, async (ops, choices) => {
      const paper = await play(ops, choices)
      expect(paper.outcome?.kind).not.toBe('blocked')
      if (paper.outcome !== undefined) expect(paper.underWay).toEqual([])
    }),
    { numRuns: 1500 },
  )
})

test('a workflow that differs in one command from its history is blocked, or never got there', async () => {
  await fc.assert(
    fc.asyncProperty(anyWorkflow, anyChoices, async (ops, choices) => {
      const paper = await play([...ops, { op: 'step', name: 'Last' }], choices)
      const other = loadedFrom(definitionOf([...ops, { op: 'step', name: 'Other' }]))
      const replayed = await paper.replay(undefined, other)
      const gotThere = paper.asked.some((command) => command.kind === 'step' && command.step === 'Last')
      expect(replayed.outcome?.kind === 'blocked').toBe(gotThere)
    }),
    { numRuns: 500 },
  )
})
