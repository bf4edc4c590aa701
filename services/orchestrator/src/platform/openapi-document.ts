import { api } from '@kyros/contract/api'
import { Problem, type ProblemCode, problemCodes, problems, problemType } from '@kyros/contract/problem'
import { commonProblems, type Route } from '@kyros/contract/route'
import { bodyExamples } from './openapi-examples.ts'
import { isSchema, openApiSchema, type PlainSchema } from './openapi-schema.ts'

export type OpenApiDocument = {
  openapi: string
  info: PlainSchema
  servers: PlainSchema[]
  tags: { name: string }[]
  paths: Record<string, Record<string, PlainSchema>>
  components: Record<'schemas' | 'responses' | 'examples' | 'securitySchemes', Record<string, PlainSchema>>
}

/** This API as OpenAPI 3.1, made from the contract. */
export function openApiDocument(version: string): OpenApiDocument {
  const components = new Map<string, PlainSchema>()
  openApiSchema(Problem, components)
  const paths: OpenApiDocument['paths'] = {}
  const operations: [string, Route][] = Object.entries(api)
  for (const [id, route] of operations) {
    const path = paths[route.path] ?? {}
    path[route.method.toLowerCase()] = operation(id, route, components)
    paths[route.path] = path
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Kyros',
      version,
      description: 'One control plane for AI agents: durable jobs and workflows.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(operations.map(([, { tag }]) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: Object.fromEntries(components),
      responses: sharedResponses(),
      examples: problemExamples(),
      securitySchemes,
    },
  }
}

const securitySchemes = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description: 'An access token of POST /auth/login, or an API key',
  },
  api_key: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: '__Host-kyros',
    description: 'The session cookie of the console; its name differs on plain http',
  },
}

function operation(id: string, route: Route, components: Map<string, PlainSchema>): PlainSchema {
  const isPublic = route.permission === 'public'
  const parameters = [
    ...parametersIn('path', route.params, components),
    ...parametersIn('query', route.query, components),
    ...headerParameters(route),
  ]
  return {
    operationId: id,
    tags: [route.tag],
    summary: route.summary,
    description: isPublic ? 'Needs no credentials.' : `Needs the role ${route.permission} or a higher one.`,
    ...(isPublic && { security: [] }),
    ...(!isPublic && { security: Object.keys(securitySchemes).map((name) => ({ [name]: [] })) }),
    ...(parameters.length > 0 && { parameters }),
    ...(route.body && { requestBody: requestBody(id, route, components) }),
    responses: { ...success(route, components), ...problemResponses(route) },
  }
}

function parametersIn(
  place: 'path' | 'query',
  schema: Route['params'],
  components: Map<string, PlainSchema>,
): PlainSchema[] {
  if (schema === undefined) return []
  const { properties, required } = openApiSchema(schema, components)
  if (!isSchema(properties)) return []
  const needed = Array.isArray(required) ? required : []
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...rest } = isSchema(property) ? property : {}
    const about = typeof description === 'string' && { description }
    return { name, in: place, required: needed.includes(name), ...about, schema: rest }
  })
}

function headerParameters(route: Route): PlainSchema[] {
  const headers: PlainSchema[] = []
  if (route.idempotent) {
    headers.push({
      name: 'Idempotency-Key',
      in: 'header',
      required: false,
      description: 'Repeats with the same key and body get the first answer again, for 24 hours',
      schema: { type: 'string', minLength: 1, maxLength: 255 },
    })
  }
  if (route.stream) {
    headers.push({
      name: 'Last-Event-ID',
      in: 'header',
      required: false,
      description: 'On the stream: go on after this id',
      schema: { type: 'string', pattern: '^[0-9]+$' },
    })
  }
  return headers
}

function requestBody(id: string, route: Route, components: Map<string, PlainSchema>): PlainSchema {
  const schema = route.body ? openApiSchema(route.body, components) : {}
  const examples = bodyExamples[id]
  const content: PlainSchema = { 'application/json': { schema, ...(examples && { examples }) } }
  if (id === 'login') content['application/x-www-form-urlencoded'] = { schema }
  if (id === 'reportCsp') {
    content['application/csp-report'] = { schema }
    content['application/reports+json'] = { schema }
  }
  return { required: route.body !== undefined && 'required' in route.body, content }
}

function success(route: Route, components: Map<string, PlainSchema>): PlainSchema {
  const { status, schema, mediaType = 'application/json' } = route.success
  const content: PlainSchema = {}
  if (schema) content[mediaType] = { schema: openApiSchema(schema, components) }
  else content[mediaType] = { schema: { type: 'string' } }
  if (route.stream && mediaType !== 'text/event-stream') {
    content['text/event-stream'] = { schema: { type: 'string', description: 'Server-sent events' } }
  }
  return { [status]: { description: route.summary, content } }
}

/** All that a route may answer, by status; each code is an example of its own. */
export function problemsOf(route: Route): ProblemCode[] {
  const onlyWithCredentials: readonly ProblemCode[] = [
    'credentials_missing',
    'token_invalid',
    'permission_denied',
    'request_origin_refused',
  ]
  const onlyWithBody: readonly ProblemCode[] = ['body_too_large', 'media_type_unsupported']
  const takes = (code: ProblemCode) =>
    !(route.permission === 'public' && onlyWithCredentials.includes(code)) &&
    !(route.body === undefined && onlyWithBody.includes(code))
  return [...new Set([...(route.problems ?? []), ...commonProblems.filter(takes)])]
}

/** The answers that most operations share are said once; an operation that has more at a status says its own. */
function problemResponses(route: Route): PlainSchema {
  const byStatus = Map.groupBy(problemsOf(route), (code) => problems[code].status)
  const responses: PlainSchema = {}
  for (const [status, codes] of [...byStatus].sort(([a], [b]) => a - b)) {
    const shared = sharedCodes(status)
    const isShared = codes.length === shared.length && codes.every((code) => shared.includes(code))
    responses[status] = isShared
      ? { $ref: `#/components/responses/Problem${status}` }
      : problemResponse(codes)
  }
  return responses
}

function sharedCodes(status: number): ProblemCode[] {
  return commonProblems.filter((code) => problems[code].status === status)
}

function sharedResponses(): Record<string, PlainSchema> {
  const statuses = new Set(commonProblems.map((code) => problems[code].status))
  return Object.fromEntries(
    [...statuses].map((status) => [`Problem${status}`, problemResponse(sharedCodes(status))]),
  )
}

function problemResponse(codes: readonly ProblemCode[]): PlainSchema {
  const examples = Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]))
  const schema = { $ref: '#/components/schemas/Problem' }
  return {
    description: codes.map((code) => `${problems[code].title} (\`${code}\`)`).join('; '),
    content: { 'application/problem+json': { schema, examples } },
  }
}

function problemExamples(): Record<string, PlainSchema> {
  return Object.fromEntries(problemCodes.map((code) => [code, { value: exampleProblem(code) }]))
}

function exampleProblem(code: ProblemCode): PlainSchema {
  const { status, title } = problems[code]
  return { type: problemType(code), title, status, detail: 'What to do next.', code, request_id: 'req-1' }
}
