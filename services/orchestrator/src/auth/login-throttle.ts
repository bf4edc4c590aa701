import type { Clock } from '@kyros/kernel/clock'
import { createRateLimiter, type RateDecision, type RateLimit } from '@kyros/kernel/rate-limit'

export type LoginThrottle = {
  /** Counts a try against the account and the address; `refund` after a success gives it back. */
  take(account: string, address: string): RateDecision & { isNews: boolean }
  refund(account: string, address: string): void
}

/** `perAccount` holds for one account from one address. */
export type LoginLimits = { perAccount: RateLimit; perAddress: RateLimit }

const minuteMs = 60_000

/** Wrong passwords: ten per account from one address, and thirty per address, in a quarter of an hour. */
export const defaultLoginLimits: LoginLimits = {
  perAccount: { calls: 10, windowMs: 15 * minuteMs },
  perAddress: { calls: 30, windowMs: 15 * minuteMs },
}

/** From all addresses together: high enough that a stranger cannot easily shut the owner of an account out. */
const accountFactor = 10

export function createLoginThrottle(clock: Clock, limits: LoginLimits = defaultLoginLimits): LoginThrottle {
  const { calls, windowMs } = limits.perAccount
  const pairs = createRateLimiter(limits.perAccount, clock)
  const accounts = createRateLimiter({ calls: calls * accountFactor, windowMs }, clock)
  const addresses = createRateLimiter(limits.perAddress, clock)
  // An attack must not fill the event log: one entry a minute says that it goes on.
  const reports = createRateLimiter({ calls: 1, windowMs: minuteMs }, clock)
  return {
    take: (account, address) => {
      const byAddress = addresses.take(address)
      if (!byAddress.allowed) return { ...byAddress, isNews: reports.take(address).allowed }
      const byPair = pairs.take(pairOf(account, address))
      if (!byPair.allowed) return { ...byPair, isNews: reports.take(account).allowed }
      const byAccount = accounts.take(account)
      if (!byAccount.allowed) return { ...byAccount, isNews: reports.take(account).allowed }
      return { ...byPair, isNews: false }
    },
    refund: (account, address) => {
      pairs.refund(pairOf(account, address))
      accounts.refund(account)
      addresses.refund(address)
    },
  }
}

function pairOf(account: string, address: string): string {
  return `${address} ${account}`
}
