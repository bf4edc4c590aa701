import { api } from '@kyros/contract/api'
import { problem } from '@kyros/contract/problem'
import { registerRoute } from '@kyros/kernel/route'
import type { FastifyInstance } from 'fastify'
import { entityTag, matchesEntityTag } from '../http/entity-tag.ts'
import type { PlatformContext } from './context.ts'
import { documentPageHeaders } from './document-page.ts'
import { errorPage } from './error-page.ts'
import { openApiDocument } from './openapi-document.ts'
import { referencePage } from './reference-page.ts'

/** The documents about this API. The pages about problems are always there: the problems lead to them. */
export function registerDocumentRoutes(app: FastifyInstance, context: PlatformContext): void {
  const { version, docsEnabled } = context
  // Made on first use: a start does not pay for pages that nobody reads.
  let openapi: { text: string; etag: string } | undefined
  let page: string | undefined
  registerRoute(app, api.openapi, ({ request, reply }) => {
    if (!docsEnabled) throw docsAreOff()
    openapi ??= taggedText(openApiDocument(version))
    reply.headers({ 'cache-control': 'no-cache', etag: openapi.etag })
    if (matchesEntityTag(request.headers['if-none-match'], openapi.etag)) return reply.code(304).send()
    return reply.header('content-type', 'application/json; charset=utf-8').send(openapi.text)
  })
  registerRoute(app, api.docs, ({ reply }) => {
    if (!docsEnabled) throw docsAreOff()
    page ??= referencePage(version)
    return reply.headers(documentPageHeaders).send(page)
  })
  registerRoute(app, api.docsOfProblem, async ({ params, reply }) => {
    const html = await errorPage(params.code)
    return reply.headers(documentPageHeaders).send(html)
  })
}

function taggedText(document: unknown): { text: string; etag: string } {
  return { text: JSON.stringify(document), etag: entityTag(document) }
}

function docsAreOff() {
  return problem('route_not_found', {
    detail: 'The API documents are switched off on this server. An administrator can set docs.enabled.',
  })
}
