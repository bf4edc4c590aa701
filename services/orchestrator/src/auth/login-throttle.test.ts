import { fakeClock } from '@kyros/kernel/fake-clock'
import { expect, test } from 'vitest'
import { createLoginThrottle } from './login-throttle.ts'

const windowMs = 60_000
const limits = { perAccount: { calls: 3, windowMs }, perAddress: { calls: 1_000, windowMs } }

test('wrong passwords from one address do not shut the account out for another', () => {
  const { take } = createLoginThrottle(fakeClock(), limits)
  const tries = [1, 2, 3, 4].map(() => take('ada', '192.0.2.1').allowed)
  expect(tries).toEqual([true, true, true, false])
  expect(take('ada', '192.0.2.2').allowed).toBe(true)
})

test('wrong passwords from many addresses close an account all the same', () => {
  const { take } = createLoginThrottle(fakeClock(), limits)
  const allowed = Array.from({ length: 40 }, (_, index) => take('ada', `192.0.2.${index}`).allowed)
  expect(allowed.filter(Boolean)).toHaveLength(30)
  expect(take('bob', '192.0.2.1').allowed).toBe(true)
})

test('a right password gives both tries back', () => {
  const { take, refund } = createLoginThrottle(fakeClock(), limits)
  for (let index = 0; index < 100; index++) {
    expect(take('ada', '192.0.2.1').allowed).toBe(true)
    refund('ada', '192.0.2.1')
  }
})
