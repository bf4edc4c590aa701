import { realpath, stat } from 'node:fs/promises'
import { isAbsolute, relative, resolve, sep } from 'node:path'
import type { StepPrincipal } from '@kyros/workflows/step-context'
import { StepError } from '@kyros/workflows/step-error'

export type RepositoryAddress =
  | { readonly kind: 'remote'; readonly url: string; readonly protocol: 'https' | 'ssh' }
  | { readonly kind: 'local'; readonly path: string }

const allowedForms =
  'Give the absolute path of a directory on this machine, or an address that begins with https:// or ssh://, or git@host:path.'

/**
 * Sorts an input into a local path or a remote that Git may fetch from. Everything else that Git would accept
 * (`ext::`, `file://`, `git://`, remote helpers, options) is refused.
 * @throws repository_not_allowed
 */
export function parseRepositoryAddress(repository: string): RepositoryAddress {
  // Control characters could end a line in a protocol or a log.
  const hasControl = [...repository].some((character) => character < ' ' || character === '\u007f')
  if (hasControl || repository.startsWith('-') || repository.trim() === '') throw refused(repository)
  if (isAbsolute(repository)) return { kind: 'local', path: resolve(repository) }
  if (/^(https|ssh):\/\//i.test(repository)) return parseUrl(repository)
  if (/^[A-Za-z0-9_][\w.-]*@[A-Za-z0-9][\w.-]*:(?![:/-])[^:]+$/.test(repository)) {
    return { kind: 'remote', url: repository, protocol: 'ssh' }
  }
  throw refused(repository)
}

function parseUrl(repository: string): RepositoryAddress {
  const url = URL.parse(repository)
  if (url === null || url.hostname === '' || url.hostname.startsWith('-') || url.username.startsWith('-')) {
    throw refused(repository)
  }
  const protocol = url.protocol === 'https:' ? 'https' : 'ssh'
  if (url.password !== '' || (protocol === 'https' && url.username !== '')) {
    throw new StepError(
      'repository_not_allowed',
      'The address contains a user name or password, and inputs are kept with the job. Remove them and use an ssh address for a private repository.',
      { retryable: false },
    )
  }
  return { kind: 'remote', url: url.href, protocol }
}

function refused(repository: string): StepError {
  const shown = JSON.stringify(repository.slice(0, 200))
  return new StepError(
    'repository_not_allowed',
    `${shown} is not a repository this can read. ${allowedForms}`,
    {
      retryable: false,
    },
  )
}

/** Who may read which local paths. Roots are compared by their real paths, so a link cannot lead out. */
export class LocalAccess {
  readonly #roots: readonly string[]
  readonly #isAdmin: boolean

  private constructor(roots: readonly string[], isAdmin: boolean) {
    this.#roots = roots
    this.#isAdmin = isAdmin
  }

  static async of(principal: StepPrincipal, allowedRoots: readonly string[]): Promise<LocalAccess> {
    const roots = await Promise.all(allowedRoots.map((root) => realpath(root).catch(() => undefined)))
    return new LocalAccess(
      roots.filter((root) => root !== undefined),
      principal.role === 'admin',
    )
  }

  get isRestricted(): boolean {
    return !this.#isAdmin
  }

  allows(realPath: string): boolean {
    return this.#isAdmin || this.#roots.some((root) => isInside(root, realPath))
  }

  /**
   * The real path of an existing directory that the principal may read.
   * @throws repository_not_allowed (also for missing paths outside the roots, so that nobody can probe the machine),
   *   repository_missing
   */
  async directory(path: string): Promise<string> {
    const real = await realpath(path).catch(() => undefined)
    if (!this.allows(real ?? path)) throw this.#notAllowed(path)
    const found = real === undefined ? undefined : await stat(real).catch(() => undefined)
    if (real === undefined || found === undefined) {
      throw missing(
        `There is no directory ${path}. Check the spelling; the path must exist on the machine Kyros runs on.`,
      )
    }
    if (!found.isDirectory())
      throw missing(`${path} is not a directory. Name the folder that contains the code.`)
    return real
  }

  #notAllowed(path: string): StepError {
    const roots = this.#roots.length === 0 ? 'none are configured' : this.#roots.join(', ')
    return new StepError(
      'repository_not_allowed',
      `You may not analyse ${path}. Allowed are the folders in analysis.allowed_roots (${roots}); an administrator can add one or start this job.`,
      { retryable: false },
    )
  }
}

function missing(message: string): StepError {
  return new StepError('repository_missing', message, { retryable: false })
}

function isInside(root: string, path: string): boolean {
  const way = relative(root, path)
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way))
}
