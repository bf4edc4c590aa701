import type { Client } from 'pg'
import { connect } from './connect.ts'

const firstDelayMs = 100
const maxDelayMs = 5_000

/**
 * Hears what other processes commit. A hint only: while the connection is down readers poll, and when it is back
 * they are all woken. Resolves when it listens.
 */
export async function startListener(
  databaseUrl: string,
  onTopics: (topics: readonly string[] | 'all') => void,
): Promise<{ stop(): Promise<void> }> {
  let client: Client | undefined
  let isStopped = false
  let timer: NodeJS.Timeout | undefined

  const listen = async () => {
    let isLost = false
    const connected = await connect(databaseUrl, () => {
      if (isLost) return
      isLost = true
      client = undefined
      again(firstDelayMs)
    })
    client = connected
    connected.on('notification', ({ payload }) => onTopics(payload?.split(' ') ?? 'all'))
    await connected.query('LISTEN kyros')
    onTopics('all')
    if (isStopped) await connected.end().catch(() => {})
  }
  const again = (delayMs: number) => {
    if (isStopped) return
    timer = setTimeout(() => {
      listen().catch(() => again(Math.min(delayMs * 2, maxDelayMs)))
    }, delayMs)
    timer.unref()
  }

  await listen()
  return {
    async stop() {
      isStopped = true
      clearTimeout(timer)
      await client?.end().catch(() => {})
    },
  }
}
