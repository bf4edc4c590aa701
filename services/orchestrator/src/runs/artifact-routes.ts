import { api } from '@kyros/contract/api'
import { problem } from '@kyros/contract/problem'
import { registerRoute } from '@kyros/kernel/route'
import type { FastifyInstance } from 'fastify'
import type { ApiContext } from '../context.ts'
import { matchesEntityTag } from '../http/entity-tag.ts'
import { hideTokens } from '../waitpoints/hide-tokens.ts'
import { artifactHeaders, getArtifact } from './get-artifact.ts'
import { getRunRecord } from './get-run.ts'

export function registerArtifactRoutes(app: FastifyInstance, context: ApiContext): void {
  const { store } = context
  registerRoute(app, api.listArtifacts, async ({ params }) => {
    await getRunRecord(store, params.id)
    return { artifacts: await store.artifacts.list(params.id) }
  })
  registerRoute(app, api.getArtifact, async ({ params, caller, request, reply }) => {
    const artifact = await getArtifact(store, params.id, params.name)
    const headers = artifactHeaders(artifact)
    reply.headers(headers)
    if (matchesEntityTag(request.headers['if-none-match'], `"${artifact.sha256}"`)) {
      return reply.code(304).send()
    }
    const data = await store.blobs.get(artifact.sha256)
    if (data === undefined) {
      throw problem('artifact_not_found', {
        detail: 'The artifact is known but its content is gone. Retry the job to make it again.',
      })
    }
    const content = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    // One character for each byte, so that what is no text stays as it is.
    const bytes = content.toString('latin1')
    const shown = await hideTokens(context, caller, bytes)
    if (shown === bytes) return reply.send(content)
    return reply.removeHeader('etag').send(Buffer.from(shown, 'latin1'))
  })
}
