import type { FastifyInstance } from 'fastify'

export type PathTable = {
  /** The methods that some route takes at the path of `url`; empty when there is nothing at all. */
  methodsOf(url: string): string[]
}

/** Remembers every route of an app, to tell a wrong method (405) from a wrong address (404). */
export function createPathTable(app: FastifyInstance): PathTable {
  const methodsByUrl = new Map<string, Set<string>>()
  app.addHook('onRoute', (route) => {
    // A catch-all (the console's pages) would make every wrong address a wrong method.
    if (route.url === '*' || route.url.endsWith('/*')) return
    const methods = methodsByUrl.get(route.url) ?? new Set()
    for (const method of [route.method].flat()) methods.add(method)
    methodsByUrl.set(route.url, methods)
  })
  let table: { pattern: RegExp; methods: Set<string> }[] | undefined
  return {
    methodsOf: (url) => {
      table ??= [...methodsByUrl].map(([path, methods]) => ({ pattern: pathPattern(path), methods }))
      const path = url.split('?', 1)[0] ?? ''
      const found = table.filter((entry) => entry.pattern.test(path)).flatMap((entry) => [...entry.methods])
      return [...new Set(found)].sort()
    },
  }
}

function pathPattern(path: string): RegExp {
  const source = path
    .replace(/\/$/, '')
    .split('/')
    .map((segment) => (segment.startsWith(':') ? '[^/]+' : RegExp.escape(segment)))
    .join('/')
  return new RegExp(`^${source}/?$`)
}
