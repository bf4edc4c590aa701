import type { CatalogueEntry } from '@kyros/workflows/catalogue'
import { expect, test } from 'vitest'
import type { StepFunction } from '../embedded/attempt.ts'
import { operationsWorkflow } from '../fixtures/operations-catalogue.ts'
import { ended, eventTypes, gate, type OpenRig, owner, plain, record, submit, until, waiting } from './rig.ts'

const broken = operationsWorkflow('mending', 'broken')
const mended = operationsWorkflow('mending', 'mended')
const estranged = operationsWorkflow('mending', 'estranged')
const shorter = operationsWorkflow('growing', 'shorter')
const longer = operationsWorkflow('growing', 'longer')

export function testUpgrade(open: OpenRig): void {
  test('a corrected definition frees a run that was blocked, and nothing is done again', async () => {
    let firsts = 0
    const First: StepFunction = async (input) => {
      firsts += 1
      return input
    }
    const rig = await open({ steps: { ...plain, First }, workflows: [broken] })
    const runId = await submit(rig, 'mending', 5)
    const blocked = await waiting(rig, runId, 'blocked')
    expect((await rig.engine.why(runId)).what_would_move_it).toContain('kyros runs upgrade')
    expect(await rig.engine.upgrade(runId, { principal: owner })).toMatchObject({ from: blocked.definition })
    await rig.restart({ workflows: [mended] })
    await waiting(rig, runId, 'blocked')
    const upgraded = await rig.engine.upgrade(runId, { principal: owner })
    expect(upgraded).toMatchObject({ from: blocked.definition, version: '1.0.0' })
    expect((await ended(rig, runId)).result).toEqual(['mended', 5, 5])
    expect(firsts).toBe(1)
    expect(await record(rig, runId)).toMatchObject({ definition: upgraded.definition })
    expect((await eventTypes(rig, runId)).filter((type) => type === 'run.upgraded')).toHaveLength(1)
    await expect(rig.engine.upgrade(runId, { principal: owner })).rejects.toMatchObject({ code: 'run_ended' })
  })

  test('a definition that does not replay the run is refused with both sides, and the run stays', async () => {
    const rig = await open({ steps: plain, workflows: [broken] })
    const runId = await submit(rig, 'mending', 5)
    await waiting(rig, runId, 'blocked')
    await rig.restart({ workflows: [estranged] })
    await waiting(rig, runId, 'blocked')
    const before = await eventTypes(rig, runId)
    await expect(rig.engine.upgrade(runId, { principal: owner })).rejects.toMatchObject({
      code: 'run_diverged',
      message: expect.stringMatching(/the history holds step First, the definition asks for step Third/),
    })
    expect(await eventTypes(rig, runId)).toEqual(before)
    await expect(
      rig.engine.upgrade(runId, { definition: 'f'.repeat(64), principal: owner }),
    ).rejects.toMatchObject({ code: 'definition_not_found' })
    await rig.engine.cancel(runId, 'given up', owner)
    await ended(rig, runId)
  })

  test('a run is moved while its step runs, which is not cut off', async () => {
    const [began, go] = [gate(), gate()]
    const attempts: number[] = []
    const First: StepFunction = async (input, { attempt }) => {
      attempts.push(attempt)
      began.open()
      await go.opened
      return input
    }
    const rig = await open({ steps: { ...plain, First }, workflows: [shorter] })
    const runId = await submit(rig, 'growing', 3)
    await began.opened
    const { definition: hash } = await record(rig, runId)
    const other = await storedBundle(open, longer)
    await rig.store.write({ kind: 'store_definition', definition: other })
    expect(
      await rig.engine.upgrade(runId, { definition: other.hash.slice(0, 12), principal: owner }),
    ).toEqual({
      ...{ definition: other.hash, version: other.version, from: hash },
    })
    go.open()
    expect((await ended(rig, runId)).result).toEqual([3, 3, 3])
    expect(attempts).toEqual([1])
  })

  test('what a run waits for goes on to wait for the definition that it is moved to', async () => {
    const rig = await open({ steps: plain, workflows: [operationsWorkflow('patient')] })
    const other = await storedBundle(open, operationsWorkflow('patient', 'morePatient'))
    await rig.store.write({ kind: 'store_definition', definition: other })
    const move = (runId: string) => rig.engine.upgrade(runId, { definition: other.hash, principal: owner })
    const [stays, restarts] = [
      await submit(rig, 'patient', { ms: 40 }),
      await submit(rig, 'patient', { ms: 40 }),
    ]
    for (const runId of [stays, restarts]) {
      await waiting(rig, runId, 'signal')
      await move(runId)
      await until(
        () => record(rig, runId),
        ({ definition }) => definition === other.hash,
      )
    }
    await rig.engine.signal(stays, 'go', 1, owner)
    expect((await ended(rig, stays)).result).toEqual(['more patient', 1])
    await rig.restart()
    await rig.engine.signal(restarts, 'go', 2, owner)
    expect(await ended(rig, restarts)).toMatchObject({ result: ['more patient', 2], version: other.version })
  })

  test('definitions are listed with the runs that still need them', async () => {
    const rig = await open({ steps: plain, workflows: [broken] })
    const runId = await submit(rig, 'mending', 5)
    await waiting(rig, runId, 'blocked')
    await rig.restart({ workflows: [mended] })
    const { definition: hash } = await record(rig, runId)
    const known = await rig.engine.definitions()
    const ofRun = known.find((one) => one.hash === hash)
    expect(ofRun).toMatchObject({ workflow: 'mending', isNewest: false })
    expect(ofRun?.liveRuns).toBeGreaterThan(0)
    expect(known.filter(({ workflow, isNewest }) => workflow === 'mending' && isNewest)).toHaveLength(1)
    await rig.engine.cancel(runId, 'given up', owner)
    await ended(rig, runId)
  })

  /** The stored bundle of a workflow, from an engine of its own. */
  async function storedBundle(openRig: OpenRig, workflow: CatalogueEntry) {
    const rig = await openRig({ steps: plain, workflows: [workflow] })
    const hash = rig.engine.workflows()[0]?.definition ?? ''
    const stored = await rig.store.definitions.get(hash)
    if (stored === undefined) throw new Error('The bundle is not stored')
    return stored
  }
}
