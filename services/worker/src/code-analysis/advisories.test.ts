import fastCheck from 'fast-check'
import { expect, test } from 'vitest'
import { compareVersions, isAffected, parseAdvisories } from './advisories.ts'

const advisory = {
  id: 'X-1',
  summary: 'Bad',
  database_specific: { severity: 'MODERATE' },
  affected: [
    {
      package: { ecosystem: 'npm', name: 'Left' },
      ranges: [
        {
          type: 'SEMVER',
          events: [
            { introduced: '1.0.0' },
            { fixed: '1.2.10' },
            { introduced: '2.0.0' },
            { last_affected: '2.1.0' },
          ],
        },
      ],
    },
  ],
}

test('a version is affected from "introduced" to before "fixed" or up to "last_affected"', () => {
  const [found] = parseAdvisories(JSON.stringify([advisory])).get('npm:left') ?? []
  if (found === undefined) throw new Error('not parsed')
  expect(found.severity).toBe('medium')
  const affected = ['0.9.9', '1.0.0', '1.2.9', '1.2.10', '2.0.0-beta.1', '2.1.0', '2.1.1'].filter((version) =>
    isAffected(found, version),
  )
  expect(affected).toEqual(['1.0.0', '1.2.9', '2.1.0'])
})

test('advisories may come one per line', () => {
  const text = `${JSON.stringify(advisory)}\n${JSON.stringify({ ...advisory, id: 'X-2' })}\n`
  expect(
    parseAdvisories(text)
      .get('npm:left')
      ?.map(({ id }) => id),
  ).toEqual(['X-1', 'X-2'])
})

test('versions are ordered by number, whichever way round they are compared', () => {
  const version = fastCheck.tuple(fastCheck.nat(30), fastCheck.nat(30), fastCheck.nat(30))
  fastCheck.assert(
    fastCheck.property(version, version, (left, right) => {
      const order = compareVersions(left.join('.'), right.join('.'))
      const [a, b, c] = left.map((part, index) => part - (right[index] ?? 0))
      expect(Math.sign(order)).toBe(Math.sign(a || b || c || 0))
      expect(Math.sign(compareVersions(right.join('.'), left.join('.')))).toBe(0 - Math.sign(order) || 0)
    }),
  )
})
