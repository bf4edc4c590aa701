import { CodeAnalysisInput } from './code-analysis/input.ts'
import { workflow as codeAnalysis } from './code-analysis/workflow.ts'

/** What can be started: what people see of a workflow, and where its definition is bundled from. */
export type CatalogueEntry = {
  readonly name: string
  readonly version: string
  readonly title: string
  readonly description: string
  /** JSON Schema (TypeBox) of the input. */
  readonly inputSchema: object
  readonly steps: readonly { readonly name: string; readonly description: string }[]
  /** The source file of the definition; the bundle is made from it and nothing else of the entry. */
  readonly entry: URL
  /** The export of `entry` that is the definition. Default: `workflow`. */
  readonly exportName?: string
}

export const catalogue: readonly CatalogueEntry[] = [
  {
    name: codeAnalysis.name,
    version: codeAnalysis.version,
    title: 'Code analysis',
    description: 'Reads a repository without running anything of it and reports what should be better.',
    inputSchema: CodeAnalysisInput,
    steps: [
      { name: 'FetchCode', description: 'Checks the repository out at one commit and lists its files' },
      { name: 'RunStaticAnalysis', description: 'Parse errors, complexity, duplication and unused code' },
      { name: 'RunSecurityAnalysis', description: 'Secrets, dangerous calls and risky configuration' },
      {
        name: 'RunPerformanceAnalysis',
        description: 'Blocking calls, costly loops and regular expressions that run away',
      },
      { name: 'GenerateReport', description: 'Scores, SARIF and a readable report' },
    ],
    entry: new URL('./code-analysis/workflow.ts', import.meta.url),
  },
]
