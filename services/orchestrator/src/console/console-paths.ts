// The first segments of the console's addresses; its own router knows the rest.
const pages = new Set([
  '',
  'agents',
  'approvals',
  'events',
  'jobs',
  'login',
  'models',
  'new',
  'projects',
  'runs',
  'services',
  'settings',
  'terminal',
])

/** True for addresses that the console's own router knows, such as `/jobs/<id>`. */
export function isConsolePath(path: string): boolean {
  return pages.has(path.split('/', 2)[1] ?? '')
}

// A browser that asks for something here means the API, and gets the API's answer.
const apiPrefix = /^\/(?:api|auth|v1|health|docs\/errors)(?:\/|$)/

export function isApiPath(path: string): boolean {
  return apiPrefix.test(path)
}
