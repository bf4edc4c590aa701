/** Who calls, and how to become someone again when the server says that the session has expired. */
export type Access = {
  /** Headers that say who calls, such as `authorization`; asked before every try. */
  headers?: () => Record<string, string> | Promise<Record<string, string>>
  /** Renews the session and answers whether that worked; called once however many calls were refused. */
  refresh?: () => Promise<boolean>
}

export type Session = {
  headers(): Promise<Record<string, string>>
  /** Grows with each renewal; a call remembers it to see whether the session was renewed meanwhile. */
  current(): number
  /** Renews unless it already happened since `sent`; answers whether the call is worth repeating. */
  refresh(sent: number): Promise<boolean>
}

export function createSession(access: Access = {}): Session {
  let renewals = 0
  let inFlight: Promise<boolean> | undefined

  async function renew(): Promise<boolean> {
    const renewed = (await access.refresh?.()) ?? false
    if (renewed) renewals++
    return renewed
  }

  return {
    headers: async () => (await access.headers?.()) ?? {},
    current: () => renewals,
    refresh(sent) {
      if (renewals > sent) return Promise.resolve(true)
      inFlight ??= renew().finally(() => {
        inFlight = undefined
      })
      return inFlight
    },
  }
}
