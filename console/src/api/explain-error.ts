import { ApiError } from '@kyros/client/api-error'
import { PartLoadError } from '../frame/lazy-part.tsx'

export type Explanation = {
  title: string
  detail: string
  requestId: string | undefined
  code: string | undefined
}

/** Any failure in words for a person: what happened, what to do, and the number to ask about. */
export function explainError(error: unknown): Explanation {
  if (error instanceof ApiError) {
    return { title: error.title, detail: error.detail, requestId: error.requestId, code: error.code }
  }
  if (error instanceof PartLoadError) {
    return { title: 'This page did not load', detail: error.message, requestId: undefined, code: undefined }
  }
  const detail = error instanceof Error ? error.message : String(error)
  return { title: 'The console ran into a fault of its own', detail, requestId: undefined, code: undefined }
}

export function isUnauthorized(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401
}

export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 404 || error.status === 400 || error.status === 422)
}
