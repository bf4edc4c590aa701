import { expect, test } from 'vitest'
import { addFamilies, type Family, type Reading } from './metric-families.ts'
import { createMetrics } from './metrics.ts'

const families: readonly Family[] = [
  { name: 'calls_total', help: 'Calls', kind: 'counter', labels: ['operation'] },
  { name: 'wait_seconds', help: 'Waits', kind: 'histogram', labels: [] },
  { name: 'slots', help: 'Slots', kind: 'gauge', labels: ['kind'] },
]

function metered(): {
  text: () => Promise<string[]>
  tell: (...readings: Reading[]) => void
  refresh: () => void
} {
  const metrics = createMetrics({ version: '1.0.0' })
  let told: Reading[] = []
  const read = () => told.splice(0)
  const refresh = addFamilies(metrics.registry, { prefix: 'far', families, read })
  return {
    refresh,
    tell: (...readings) => {
      told = [...told, ...readings]
    },
    text: async () => (await metrics.text()).split('\n').filter((line) => line.startsWith('far_')),
  }
}

const call = (operation: string): Reading => ({ name: 'calls_total', value: 1, labels: { operation } })

test('what is measured elsewhere is shown with what happened until then', async () => {
  const { tell, text, refresh } = metered()
  tell(call('Start'), { name: 'slots', value: 7, labels: { kind: 'turn' } })
  refresh()
  tell(call('Start'), call('Poll'), { name: 'slots', value: 3, labels: { kind: 'turn' } })
  tell({ name: 'wait_seconds', value: 0.02, labels: {} }, { name: 'unknown', value: 1, labels: {} })
  const lines = await text()
  expect(lines).toEqual(
    expect.arrayContaining([
      ...['far_calls_total{operation="Start"} 2', 'far_calls_total{operation="Poll"} 1'],
      ...['far_slots{kind="turn"} 3', 'far_wait_seconds_bucket{le="0.025"} 1', 'far_wait_seconds_count 1'],
    ]),
  )
  expect(await text()).toEqual(lines)
})

test('a label with too many values fills no memory', async () => {
  const { tell, text } = metered()
  for (let number = 0; number < 2000; number++) tell(call(`call ${number}`))
  expect((await text()).filter((line) => line.startsWith('far_calls_total'))).toHaveLength(500)
})
