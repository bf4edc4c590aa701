import type { Clock } from '@kyros/kernel/clock'
import { createRateLimiter, type RateDecision, type RateLimit } from '@kyros/kernel/rate-limit'

export type LoginThrottle = {
  /** Counts a try against the account and the address; `refund` after a success gives it back. */
  take(account: string, address: string): RateDecision & { isNews: boolean }
  refund(account: string, address: string): void
}

export type LoginLimits = { perAccount: RateLimit; perAddress: RateLimit }

const minuteMs = 60_000

/** Wrong passwords: ten per account and thirty per address in a quarter of an hour. */
export const defaultLoginLimits: LoginLimits = {
  perAccount: { calls: 10, windowMs: 15 * minuteMs },
  perAddress: { calls: 30, windowMs: 15 * minuteMs },
}

export function createLoginThrottle(clock: Clock, limits: LoginLimits = defaultLoginLimits): LoginThrottle {
  const accounts = createRateLimiter(limits.perAccount, clock)
  const addresses = createRateLimiter(limits.perAddress, clock)
  // An attack must not fill the event log: one entry a minute says that it goes on.
  const reports = createRateLimiter({ calls: 1, windowMs: minuteMs }, clock)
  return {
    take: (account, address) => {
      const byAddress = addresses.take(address)
      if (!byAddress.allowed) return { ...byAddress, isNews: reports.take(address).allowed }
      const byAccount = accounts.take(account)
      if (!byAccount.allowed) return { ...byAccount, isNews: reports.take(account).allowed }
      return { ...byAccount, isNews: false }
    },
    refund: (account, address) => {
      accounts.refund(account)
      addresses.refund(address)
    },
  }
}
