import type { ProblemCode } from '@kyros/contract/problem'

/**
 * A problem in the making. The writer thread knows only these: loading the contract's problems, with their
 * schemas, would make every start wait for a library that the thread has no use for.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: ProblemCode
  readonly retryAfterSeconds: number | undefined

  constructor(
    code: ProblemCode,
    detail: string,
    options: { cause?: unknown; retryAfterSeconds?: number } = {},
  ) {
    super(detail, { cause: options.cause })
    this.code = code
    this.retryAfterSeconds = options.retryAfterSeconds
  }
}

export function refuse(code: ProblemCode, detail: string): Refusal {
  return new Refusal(code, detail)
}

export function unavailable(detail: string, cause?: unknown): Refusal {
  return new Refusal('store_unavailable', detail, { cause, retryAfterSeconds: 1 })
}

export function storageFull(cause?: unknown): Refusal {
  const detail =
    'Free some space on the disk that holds the data, then try again. Nothing of this was stored.'
  return new Refusal('storage_full', detail, { cause })
}
