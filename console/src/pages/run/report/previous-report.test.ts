import { expect, test } from 'vitest'
import { samePlace } from './previous-report.ts'

test.each([
  [{ repository: '/srv/a' }, { repository: '/srv/a/', branch: 'main' }, true],
  [{ repository: '/srv/a', path: 'src' }, { repository: '/srv/a', path: 'src/' }, true],
  [{ repository: '/srv/a', path: 'src' }, { repository: '/srv/a' }, false],
  [{ repository: '/srv/a' }, { repository: '/srv/b' }, false],
  [{}, {}, false],
  [null, null, false],
])('%j and %j are one place: %s', (one, other, isSame) => {
  expect(samePlace(one, other)).toBe(isSame)
})
