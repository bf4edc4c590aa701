import { type Static, Type } from 'typebox'

export const analysisAreas = ['static', 'security', 'performance'] as const

const AnalysisArea = Type.Union(
  [
    Type.Literal('static', { title: 'Static analysis' }),
    Type.Literal('security', { title: 'Security' }),
    Type.Literal('performance', { title: 'Performance' }),
  ],
  { title: 'Area' },
)

/**
 * Inputs are kept with the job and shown to whoever may read it: an address with a password, or with any user over
 * http(s), is refused before it is stored. Of a user name alone only ssh has use: `git@host:path`, `ssh://git@host`.
 */
const withoutCredentials =
  String.raw`^(?!\s*[hH][tT][tT][pP][sS]?:[\\/]*[^\\/?#]*@)` +
  String.raw`(?!\s*(?:[A-Za-z][A-Za-z0-9+.-]*:[\\/]+)?[^\\/@:]+:(?!\d{1,5}[\\/])(?![\\/])[^@]*@)`

/** What a user of `code_analysis` fills in; the console makes its form from titles, descriptions and examples. */
export const CodeAnalysisInput = Type.Object(
  {
    repository: Type.String({
      title: 'Repository',
      description:
        'A directory on this machine, or a Git address that begins with https:// or ssh://, or git@host:path. Analysed as committed; changes that are not committed are left out.',
      minLength: 1,
      maxLength: 2048,
      pattern: withoutCredentials,
      patternMessage:
        'must not contain a user name or password, because inputs are kept with the job; use an ssh address for a private repository',
      examples: ['/home/me/my-project', 'https://github.com/fastify/fastify.git'],
    }),
    branch: Type.Optional(
      Type.String({
        title: 'Branch',
        description: 'A branch, tag or full commit hash. Empty means what HEAD points to.',
        minLength: 1,
        maxLength: 255,
        examples: ['main', 'v1.4.0'],
      }),
    ),
    path: Type.Optional(
      Type.String({
        title: 'Path',
        description: 'Analyse only this folder of the repository, written with forward slashes.',
        minLength: 1,
        maxLength: 1024,
        examples: ['packages/engine', 'src'],
      }),
    ),
    types: Type.Optional(
      Type.Array(AnalysisArea, {
        title: 'Areas',
        description: 'What to look at. Everything when left out.',
        minItems: 1,
        maxItems: 3,
        uniqueItems: true,
        examples: [['static', 'security', 'performance']],
      }),
    ),
  },
  {
    title: 'Code analysis',
    description: 'Reads a repository without running anything of it and reports what should be better.',
    additionalProperties: false,
    examples: [{ repository: '/home/me/my-project', types: ['security'] }],
  },
)
export type CodeAnalysisInput = Static<typeof CodeAnalysisInput>
