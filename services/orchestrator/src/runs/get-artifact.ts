import { problem } from '@kyros/contract/problem'
import type { Artifact } from '@kyros/contract/run'
import type { Store } from '@kyros/store/store'
import { getRunRecord } from './get-run.ts'

/** @throws run_not_found, artifact_not_found */
export async function getArtifact(store: Store, runId: string, name: string): Promise<Artifact> {
  const artifact = await store.artifacts.get(runId, name)
  if (artifact !== undefined) return artifact
  await getRunRecord(store, runId)
  throw problem('artifact_not_found', {
    detail: `Run ${runId} left no artifact with this name. GET /api/v1/workflows/${runId}/artifacts lists those there are.`,
  })
}

// Types that a browser shows without running anything in them. HTML, SVG and XML are always downloads.
const shownInline = new Set([
  'text/plain',
  'text/markdown',
  'text/csv',
  'application/json',
  'image/png',
  'image/jpeg',
])

// The type is a step's own words: only what is one goes into a header.
const mediaType = /^[\w.+-]+\/[\w.+-]+(; ?[\w-]+=[\w.-]+)*$/

/**
 * Headers under which foreign bytes can be given to a browser: their type is never guessed, and nothing in them
 * runs with the rights of this origin.
 */
export function artifactHeaders(artifact: Artifact): Record<string, string> {
  const type = artifact.media_type.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  const disposition = shownInline.has(type) || type.endsWith('+json') ? 'inline' : 'attachment'
  return {
    'content-type': mediaType.test(artifact.media_type) ? artifact.media_type : 'application/octet-stream',
    'content-disposition': `${disposition}; ${fileName(artifact.name)}`,
    'content-security-policy': "sandbox; default-src 'none'",
    'x-content-type-options': 'nosniff',
    'cache-control': 'private, no-cache',
    etag: `"${artifact.sha256}"`,
  }
}

/** RFC 6266: an ASCII name for old readers, the real one beside it when it differs. */
function fileName(name: string): string {
  const ascii = name.replace(/[^\x20-\x7e]|["\\/]/g, '_')
  if (ascii === name) return `filename="${ascii}"`
  const encoded = encodeURIComponent(name.toWellFormed()).replace(/['()*]/g, percent)
  return `filename="${ascii}"; filename*=UTF-8''${encoded}`
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}
