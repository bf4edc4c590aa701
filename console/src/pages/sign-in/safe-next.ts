/** Where to go after signing in: a page of this console, never an address that a link smuggled in. */
export function safeNext(next: string | undefined): string {
  if (next === undefined || !/^\/(?![/\\])/.test(next)) return '/'
  return next.startsWith('/login') ? '/' : next
}
