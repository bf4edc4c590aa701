import { flushCompileCache } from 'node:module'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const afterReadyMs = 300

/**
 * Once the server is ready: gives the garbage of starting back (a fifth of the resident memory), and writes the
 * compile cache, which is otherwise written at exit and so never by a process that is killed.
 */
export function releaseAfterStart(): void {
  setTimeout(() => {
    setFlagsFromString('--expose-gc')
    const collect: unknown = runInNewContext('gc')
    if (typeof collect === 'function') collect({ type: 'major', flavor: 'last-resort' })
    flushCompileCache()
  }, afterReadyMs).unref()
}
