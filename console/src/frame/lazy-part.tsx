import { type ComponentType, lazy } from 'react'

/** The code of a part did not arrive: no connection, or another build took its place on the server. */
export class PartLoadError extends Error {
  override readonly name = 'PartLoadError'
}

const loaders: (() => Promise<unknown>)[] = []

/**
 * A page or a part of one whose code comes when it is needed. The router's own way reloads the document when that fails, which would
 * trade a stale picture for the browser's "cannot be reached"; this shows an error in the place of the page.
 */
export function lazyPart<P>(load: () => Promise<ComponentType<P>>) {
  let loading: Promise<{ default: ComponentType<P> }> | undefined
  const loadOnce = () => {
    loading ??= load().then(
      (page) => ({ default: page }),
      (cause: unknown) => {
        loading = undefined
        throw new PartLoadError('Check the connection to the server, then reload the console.', { cause })
      },
    )
    return loading
  }
  loaders.push(loadOnce)
  return Object.assign(lazy(loadOnce), { preload: async () => void (await loadOnce()) })
}

/** Fetches the code of all parts while nobody waits, so that going anywhere needs no more than data. */
export async function preloadParts(): Promise<void> {
  // Parts that are found on the way, inside other parts, come last in the same list.
  for (const load of loaders) {
    // A part that does not load now says so when it is opened.
    await load().catch(() => undefined)
  }
}
