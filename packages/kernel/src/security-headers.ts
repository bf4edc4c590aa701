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

const headersOverTls = {
  ...headers,
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
} as const

/** On every answer, pages and JSON alike; a route that may be cached sets its own Cache-Control. */
export function securityHeaders(overTls: boolean): Record<string, string> {
  return overTls ? headersOverTls : headers
}
