const policy = [
  "default-src 'self'",
  "script-src 'self'",
  // Carbon and the terminal set inline styles.
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  'report-uri /api/v1/security/csp-report',
].join('; ')

const headers = {
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'cache-control': 'no-store',
} as const

/** The answer to a change is never a page: what governs scripts, frames and devices would be weight on the wire. */
const headersOfChange = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
} as const

const overTls = { 'strict-transport-security': 'max-age=31536000; includeSubDomains' } as const
const headersOverTls = { ...headers, ...overTls }
const headersOfChangeOverTls = { ...headersOfChange, ...overTls }

/**
 * On every answer, pages and JSON alike; `isChange`: the request was neither GET nor HEAD nor OPTIONS. A route that
 * may be cached sets its own Cache-Control.
 */
export function securityHeaders(isOverTls: boolean, isChange: boolean): Record<string, string> {
  if (isChange) return isOverTls ? headersOfChangeOverTls : headersOfChange
  return isOverTls ? headersOverTls : headers
}
