import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'

/**
 * What authors import, by the name they use for it. In a clone and in a project that has Kyros installed, the name is
 * found by package.json as well; from any other directory only the bundler and these hooks know it.
 */
const faces: ReadonlyMap<string, string> = new Map([
  ['kyros/workflow', import.meta.resolve('@kyros/workflows/author-workflow')],
  ['kyros/steps', import.meta.resolve('@kyros/workflows/author-steps')],
  ['kyros/schema', import.meta.resolve('@kyros/workflows/author-schema')],
  ['kyros/testing', new URL('../testing/author-testing.ts', import.meta.url).href],
])

/** The file behind a name that authors import; undefined for any other name. */
export function authorFile(name: string): string | undefined {
  const address = faces.get(name)
  return address === undefined ? undefined : fileURLToPath(address)
}

const generationKey = 'kyros-generation'
let isRegistered = false

/** Lets modules that this process loads from now on import the names that authors use, wherever they lie. */
export function resolveForAuthors(): void {
  if (isRegistered) return
  isRegistered = true
  registerHooks({
    resolve: (specifier, context, nextResolve) => {
      const own = faces.get(specifier)
      if (own !== undefined) return { url: own, shortCircuit: true }
      const resolved = nextResolve(specifier, context)
      const generation = generationOf(context.parentURL)
      const isFixed = !resolved.url.startsWith('file:') || /\/node_modules\/|\?/.test(resolved.url)
      return generation === null || isFixed
        ? resolved
        : { ...resolved, url: atGeneration(resolved.url, generation) }
    },
  })
}

/** The address under which Node loads a file anew, with all files that it imports outside of node_modules. */
export function atGeneration(address: string, generation: string): string {
  const url = new URL(address)
  url.searchParams.set(generationKey, generation)
  return url.href
}

function generationOf(url: string | undefined): string | null {
  return url?.includes(generationKey) ? new URL(url).searchParams.get(generationKey) : null
}
