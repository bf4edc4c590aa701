import type { RouteOptions } from '@kyros/kernel/route'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { asksForHtml } from '../http/accepted-type.ts'
import { matchesEntityTag } from '../http/entity-tag.ts'
import { documentPage, documentPageHeaders } from '../platform/document-page.ts'
import { bestEncoding, type ConsoleFile, type ConsoleFiles } from './console-files.ts'
import { isApiPath, isConsolePath } from './console-paths.ts'

type ServePage = NonNullable<RouteOptions['before']>

/** Answers a browser that navigates with the console's page; false for all other callers. */
export function createServePage(files: ConsoleFiles): ServePage {
  return (request, reply) => {
    if (!asksForHtml(request.headers.accept)) return false
    void sendPage(files, request, reply)
    return true
  }
}

/**
 * Serves the console: its files, its page at its own addresses, a small page for a browser that is lost. All else
 * is answered as an address that does not exist.
 */
export function registerConsole(app: FastifyInstance, files: ConsoleFiles): void {
  app.get('/*', async (request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '/'
    const file = path === '/index.html' ? undefined : files.find(path)
    if (file !== undefined) return sendFile(files, file, request, reply)
    const isNavigation = asksForHtml(request.headers.accept)
    if (isNavigation && isConsolePath(path)) return sendPage(files, request, reply)
    if (isNavigation && !isApiPath(path)) return sendLost(reply)
    reply.callNotFound()
    return reply
  })
}

async function sendPage(
  files: ConsoleFiles,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  reply.header('vary', 'Accept, Accept-Encoding')
  const page = files.find('/index.html')
  if (page === undefined) return sendMissing(reply)
  try {
    return await sendFile(files, page, request, reply)
  } catch {
    // The build was removed under our feet.
    return sendMissing(reply)
  }
}

async function sendFile(
  files: ConsoleFiles,
  file: ConsoleFile,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const encoding = bestEncoding(file, request.headers['accept-encoding'])
  const { data, etag } = await files.read(file, encoding)
  reply.headers({
    'content-type': file.mediaType,
    'cache-control': file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    etag,
  })
  if (!reply.hasHeader('vary')) reply.header('vary', 'Accept-Encoding')
  if (matchesEntityTag(request.headers['if-none-match'], etag)) return reply.code(304).send()
  if (encoding !== 'identity') reply.header('content-encoding', encoding)
  return reply.send(data)
}

function sendMissing(reply: FastifyReply): FastifyReply {
  const mainHtml = `<h1>The console is not built</h1>
<p>Kyros serves its API; the files of the console are missing. Build them in the directory of Kyros and load this page again:</p>
<pre tabindex="0"><code>npm run prestart</code></pre>`
  return reply
    .code(503)
    .headers({ ...documentPageHeaders, 'cache-control': 'no-store' })
    .send(documentPage({ title: 'The console is not built – Kyros', mainHtml }))
}

function sendLost(reply: FastifyReply): FastifyReply {
  const mainHtml = `<h1>There is nothing at this address</h1>
<p>Check the address, or go <a href="/">to the console</a>.</p>`
  return reply
    .code(404)
    .headers({ ...documentPageHeaders, vary: 'Accept' })
    .send(documentPage({ title: 'Not found – Kyros', mainHtml }))
}
