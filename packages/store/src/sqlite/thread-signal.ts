import type { MessagePort } from 'node:worker_threads'

/** What the thread is asked besides commits. Each but the last is answered once. */
export type Control = { open: string } | 'project' | 'close'

/** Answers that the tables could not be brought up to the journal for lack of room. */
export const stillLags = 'lags'

export type WriterData = {
  port: MessagePort
  /** Counts the messages in both directions, so that either side can look for one without a system call. */
  signal: Int32Array<SharedArrayBuffer>
}

/** Places in `signal`. */
export const postedAt = 0
export const answeredAt = 1

export function createSignal(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT))
}
