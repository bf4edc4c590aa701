const renewedKey = 'kyros.session.renewed_at_ms'
const refreshTimeoutMs = 10_000

/**
 * Renews the session cookie; answers whether the person is still signed in. Refresh tokens work once, so that two
 * tabs renewing at the same time would look like a stolen one: a lock lets one ask, the others take its result.
 */
export async function renewSession(): Promise<boolean> {
  const askedMs = Date.now()
  const renewOnce = async () => (renewedAtMs() >= askedMs ? true : askForRenewal())
  // Locks exist only in a secure context; plain http on a network address has none.
  if (navigator.locks === undefined) return renewOnce()
  return navigator.locks.request('kyros.session', renewOnce)
}

async function askForRenewal(): Promise<boolean> {
  const response = await fetch('/auth/refresh', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: '{}',
    signal: AbortSignal.timeout(refreshTimeoutMs),
  })
  if (response.ok) localStorage.setItem(renewedKey, String(Date.now()))
  return response.ok
}

function renewedAtMs(): number {
  return Number(localStorage.getItem(renewedKey) ?? 0)
}
