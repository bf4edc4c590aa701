/** Names of the browser's cookies. The port keeps two servers on one host apart: cookies know no ports. */
export type CookieNames = {
  readonly session: string
  readonly refresh: string
  readonly secure: boolean
}

/** Over https the session gets the `__Host-` prefix: no subdomain can set it then. */
export function cookieNames(options: { port: number; secure: boolean }): CookieNames {
  const { port, secure } = options
  return secure
    ? { session: '__Host-kyros_session', refresh: '__Secure-kyros_refresh', secure }
    : { session: `kyros_session_${port}`, refresh: `kyros_refresh_${port}`, secure }
}

/** One cookie of a Cookie header; undefined when it is missing, or there twice (which of them is ours?). */
export function readCookie(header: string | undefined, name: string): string | undefined {
  if (!header?.includes(name)) return undefined
  let found: string | undefined
  for (const part of header.split(';')) {
    const equals = part.indexOf('=')
    if (equals < 0 || part.slice(0, equals).trim() !== name) continue
    if (found !== undefined) return undefined
    found = part.slice(equals + 1).trim()
  }
  return found
}

export type SetCookie = {
  name: string
  value: string
  path: string
  /** 0 removes the cookie. */
  maxAgeSeconds: number
  secure: boolean
}

/** A Set-Cookie value that scripts cannot read and other sites cannot send with a POST. */
export function setCookie(cookie: SetCookie): string {
  const secure = cookie.secure ? '; Secure' : ''
  return `${cookie.name}=${cookie.value}; Path=${cookie.path}; Max-Age=${cookie.maxAgeSeconds}; HttpOnly; SameSite=Lax${secure}`
}
