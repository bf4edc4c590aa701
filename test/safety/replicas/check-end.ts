import { setTimeout as delay } from 'node:timers/promises'
import type { RunEngine } from '@kyros/contract/run'
import { isTerminal } from '@kyros/contract/run-status'
import type { Store } from '@kyros/store/store'
import type { Findings } from '../model/findings.ts'

/** Resolves when no run of the engine is under way any more, or after `patienceMs`. */
export async function comeToRest(store: Store, engine: RunEngine, patienceMs: number): Promise<void> {
  const untilMs = Date.now() + patienceMs
  const isAtRest = async () => (await store.runs.unfinishedIds(undefined, 1, engine)).length === 0
  while (!(await isAtRest()) && Date.now() < untilMs) await delay(100)
}

/** Waits until readers of the log have come to its end; those that do not in ten seconds are findings. */
export async function checkReaders(
  readers: readonly { readonly lastSeq: number }[],
  head: number,
  findings: Findings,
): Promise<void> {
  const untilMs = Date.now() + 10_000
  while (readers.some(({ lastSeq }) => lastSeq < head) && Date.now() < untilMs) await delay(100)
  for (const { lastSeq } of readers) {
    if (lastSeq < head) findings.lost.push(`the stream ended at ${lastSeq} of ${head}`)
  }
}

/** A start that was repeated under its key is there once. */
export async function checkSingleStarts(store: Store, findings: Findings): Promise<void> {
  const counts = new Map<string, number>()
  let cursor: string | undefined
  do {
    const page = await store.jobs.list({ limit: 200, ...(cursor !== undefined && { cursor }) })
    for (const { title, status, id } of page.items) {
      counts.set(title, (counts.get(title) ?? 0) + 1)
      if (!isTerminal(status)) findings.lost.push(`job ${id} (${title}) is ${status}`)
    }
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
  for (const [title, count] of counts) {
    if (count > 1) findings.doubled.push(`there are ${count} jobs "${title}"`)
  }
}
