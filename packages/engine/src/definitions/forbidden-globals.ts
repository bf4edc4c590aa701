const forbidden: { readonly [name: string]: string } = {
  Date: 'use context.now()',
  'Math.random': 'use context.random()',
  crypto: 'use context.uuid() or context.random()',
  performance: 'use context.now()',
  setTimeout: 'use context.sleep()',
  setInterval: 'use context.sleep()',
  setImmediate: 'use context.sleep()',
  fetch: 'do it in a step',
  WebSocket: 'do it in a step',
  XMLHttpRequest: 'do it in a step',
  process: 'do it in a step, or pass it in the input',
  Buffer: 'do it in a step',
  require: 'do it in a step',
  console: 'use context.log()',
  globalThis: 'a definition keeps no state outside its run',
  WeakRef: 'garbage collection is not repeatable',
  FinalizationRegistry: 'garbage collection is not repeatable',
}

const prefix = '__kyros_forbidden_'
const markerOf = (name: string) => `${prefix}${name.replace('.', '_')}`

/**
 * The bundler renames every free use of these globals, and only free uses: a parameter or a property of the same
 * name is left alone. What is left of the markers after bundling is a use of the real thing.
 */
export const forbiddenGlobalDefines: Record<string, string> = Object.fromEntries(
  Object.keys(forbidden).map((name) => [name, markerOf(name)]),
)

/** Where a bundle uses globals that differ from one replay to the next, as `file:line uses X: what instead`. */
export async function findGlobals(
  bundle: string,
  inputs: readonly string[],
  read: (path: string) => Promise<string>,
): Promise<string[]> {
  if (!bundle.includes(prefix)) return []
  const used = Object.entries(forbidden).filter(([name]) =>
    new RegExp(`\\b${markerOf(name)}\\b`).test(bundle),
  )
  const places: string[] = []
  const texts = await Promise.all(inputs.map(async (path) => ({ path, text: await read(path) })))
  for (const [name, instead] of used) {
    const found = texts.flatMap(({ path, text }) => linesUsing(name, text).map((line) => `${path}:${line}`))
    const where = found.length === 0 ? ['(bundle)'] : found
    for (const place of where) places.push(`${place} uses ${name}: ${instead}`)
  }
  return places
}

function linesUsing(name: string, text: string): number[] {
  const use = new RegExp(`(?<![.\\w$'"])${name.replace('.', '\\s*\\.\\s*')}(?![\\w$'":])`)
  return text
    .split('\n')
    .map((line, index) => ({ line: withoutWords(line), number: index + 1 }))
    .filter(({ line }) => use.test(line))
    .map(({ number }) => number)
}

/** A line without its strings and comments, as well as one line tells. */
function withoutWords(line: string): string {
  return line.replace(/(["'`])(?:\\.|(?!\1).)*\1/g, '""').replace(/\/\/.*$|^\s*\*.*$/, '')
}
