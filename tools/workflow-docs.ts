// Makes docs/workflows/reference.md from the types that authors import: npm run workflow-docs
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { workflowFaultCodes } from '@kyros/contract/workflow-fault'
import { forbiddenGlobals } from '@kyros/engine/definitions/forbidden-globals'
import { childOf, type ParsedCode, parseCode, type SyntaxNode } from '../test/parse-code.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const path = join(root, 'docs', 'workflows', 'reference.md')

/** What authors import, in the order of the page: `name` from `file`, under the name of its module. */
const parts: readonly {
  module: string
  says: string
  names: readonly (readonly [name: string, file: string])[]
}[] = [
  {
    module: 'kyros/workflow',
    says: 'For definitions (`<name>.workflow.ts`). `context` below is the first argument of `run`.',
    names: [
      ['defineWorkflow', 'packages/workflows/src/define.ts'],
      ['WorkflowDefinition', 'packages/workflows/src/define.ts'],
      ['WorkflowConcurrency', 'packages/workflows/src/define.ts'],
      ['WorkflowBudget', 'packages/workflows/src/define.ts'],
      ['WorkflowContext', 'packages/workflows/src/workflow-context.ts'],
      ['RunInfo', 'packages/workflows/src/workflow-context.ts'],
      ['StepOptions', 'packages/workflows/src/step-options.ts'],
      ['RetryPolicy', 'packages/workflows/src/step-options.ts'],
      ['Waitpoint', 'packages/workflows/src/workflow-context.ts'],
      ['WaitpointOptions', 'packages/workflows/src/workflow-context.ts'],
      ['ChildOptions', 'packages/workflows/src/workflow-context.ts'],
      ['ScopeOptions', 'packages/workflows/src/workflow-context.ts'],
      ['CancellationScope', 'packages/workflows/src/workflow-context.ts'],
      ['Saga', 'packages/workflows/src/workflow-context.ts'],
      ['WorkflowFailure', 'packages/workflows/src/failures.ts'],
      ['StepFailure', 'packages/workflows/src/failures.ts'],
      ['ChildFailure', 'packages/workflows/src/failures.ts'],
      ['WaitpointExpired', 'packages/workflows/src/failures.ts'],
      ['ScopeTimedOut', 'packages/workflows/src/failures.ts'],
      ['CompensationFailure', 'packages/workflows/src/failures.ts'],
      ['Cancelled', 'packages/workflows/src/failures.ts'],
      ['isNamed', 'packages/workflows/src/failures.ts'],
    ],
  },
  {
    module: 'kyros/steps',
    says: 'For steps files (`<name>.steps.ts`), which export `steps`: an object of functions, each called with its input and a `StepContext`.',
    names: [
      ['StepContext', 'packages/workflows/src/step-context.ts'],
      ['StepArtifacts', 'packages/workflows/src/step-context.ts'],
      ['StepStream', 'packages/workflows/src/step-context.ts'],
      ['StepPrincipal', 'packages/workflows/src/step-context.ts'],
      ['StepError', 'packages/workflows/src/step-error.ts'],
      ['StepErrorOptions', 'packages/workflows/src/step-error.ts'],
    ],
  },
  {
    module: 'kyros/testing',
    says: 'For tests (`<name>.test.ts`); [testing.md](testing.md) shows how they are used.',
    names: [
      ['TestKit', 'packages/engine/src/testing/test-kit.ts'],
      ['TestKitOptions', 'packages/engine/src/testing/test-kit.ts'],
      ['StartOptions', 'packages/engine/src/testing/test-kit.ts'],
      ['TestRun', 'packages/engine/src/testing/test-run.ts'],
      ['RunNotCompleted', 'packages/engine/src/testing/test-run.ts'],
      ['replayHistory', 'packages/engine/src/testing/replay-history.ts'],
      ['Replayed', 'packages/engine/src/testing/replay-history.ts'],
    ],
  },
]

const introduction = `# Reference for authors of workflows

<!-- Made from the types that authors import by tools/workflow-docs.ts; a test holds that it is current. -->

Everything that a definition, its steps and its tests may use. [determinism.md](determinism.md) says what a definition may
not use, [versioning.md](versioning.md) what happens to runs when it changes.

## The files of a workflow

\`workflows.dir\` (default: \`./workflows\`) is searched, four folders deep, for \`<name>.workflow.ts\` with \`<name>.steps.ts\`
beside it, and for folders with \`workflow.ts\` and \`steps.ts\`. \`.js\`, \`.mjs\` and \`.mts\` do as well.

| export of the definition's file | is |
|---|---|
| \`workflow\` | the definition, made with \`defineWorkflow\` |
| \`inputSchema\` | JSON Schema, plain or made with \`Type\` from \`kyros/schema\` (TypeBox); the console makes its form of it, and no run starts with an input that does not fit. Also possible as \`input\` of the definition |
| \`title\`, \`description\` | what people see. Default: the definition's own, else its name |
| \`stepTitles\` | a sentence for each step, by name |

The steps file exports \`steps\`. A definition that calls no step needs none.
`

/** The text of docs/workflows/reference.md. */
export function workflowDocs(): string {
  const sections = parts.map(({ module, says, names }) =>
    [`## ${module}`, says, ...names.map(([name, file]) => describe(name, file))].join('\n\n'),
  )
  return `${[introduction.trimEnd(), ...sections].join('\n\n')}\n`
}

/** Whether docs/workflows/reference.md is what the types say. */
export function isWorkflowDocsCurrent(): boolean {
  return readFileSync(path, 'utf8') === workflowDocs()
}

/** Codes of faults, and refused globals, that docs/workflows/determinism.md does not name. */
export function unexplainedFaults(): string[] {
  const text = readFileSync(join(root, 'docs', 'workflows', 'determinism.md'), 'utf8')
  const globals = Object.entries(forbiddenGlobals).flatMap(([name, { code }]) => {
    const row = text
      .split('\n')
      .find((line) => line.startsWith(`| \`${code}\``) && line.includes(`\`${name}`))
    return row === undefined ? [`${code}: ${name}`] : []
  })
  return [...workflowFaultCodes.filter((code) => !text.includes(`\`${code}\``)), ...globals]
}

type Source = ParsedCode & { text: string }

function describe(name: string, file: string): string {
  const text = readFileSync(join(root, file), 'utf8')
  const source: Source = { ...parseCode({ path: file, text }), text }
  const body: readonly SyntaxNode[] = nodes(source.program.body)
  for (const statement of body) {
    const declaration = childOf(statement, 'declaration')
    if (declaration === undefined || childOf(declaration, 'id')?.name !== name) continue
    const kind = declaration.type === 'ClassDeclaration' ? 'class ' : ''
    const head = declaration.type === 'TSDeclareFunction' || declaration.type === 'FunctionDeclaration'
    const title = head ? signature(source, declaration) : `${kind}${name}`
    const members = membersOf(declaration).flatMap((member) => memberText(source, member, name))
    return [`### \`${title}\``, docOf(source, statement), ...members, alias(source, declaration)]
      .filter((part) => part !== '')
      .join('\n\n')
  }
  throw new Error(`${file} exports no ${name}`)
}

function nodes(value: unknown): SyntaxNode[] {
  return Array.isArray(value) ? value : []
}

function membersOf(declaration: SyntaxNode): SyntaxNode[] {
  if (declaration.type === 'ClassDeclaration') return nodes(childOf(declaration, 'body')?.body)
  const type = childOf(declaration, 'typeAnnotation')
  return type?.type === 'TSTypeLiteral' ? nodes(type.members) : []
}

/** A type that is no list of members is shown as it is written. */
function alias({ text }: Source, declaration: SyntaxNode): string {
  const type = childOf(declaration, 'typeAnnotation')
  if (declaration.type !== 'TSTypeAliasDeclaration' || type === undefined || type.type === 'TSTypeLiteral')
    return ''
  return `\`\`\`ts\n${text.slice(declaration.start, declaration.end)}\n\`\`\``
}

/** Errors that authors make themselves. */
const thrown = new Set(['WorkflowFailure', 'StepError'])

function memberText(source: Source, member: SyntaxNode, owner: string): string[] {
  const key = childOf(member, 'key')
  const isConstructor = key?.name === 'constructor'
  const isHidden =
    key === undefined || key.type === 'PrivateIdentifier' || (isConstructor && !thrown.has(owner))
  if (isHidden || (member.type === 'PropertyDefinition' && key.name === 'name')) return []
  const text = signature(source, member).replace(/^constructor/, `new ${owner}`)
  return [[`- \`${text}\``, indented(docOf(source, member))].filter((part) => part !== '').join('\n')]
}

/** What is written before the body, on one line. */
function signature({ text }: Source, node: SyntaxNode): string {
  const body = childOf(node, 'body') ?? childOf(childOf(node, 'value') ?? node, 'body')
  const isTyped = node.type === 'PropertyDefinition' && childOf(node, 'typeAnnotation') !== undefined
  const end = body?.start ?? (isTyped ? childOf(node, 'value')?.start : undefined) ?? node.end
  return text
    .slice(node.start, end)
    .replace(/\/\*\*[\s\S]*?\*\//g, '')
    .replace(/\s+/g, ' ')
    .replace(/^(readonly|override|async|export|function) /g, '')
    .replace(/^(readonly|override|async|export|function) /g, '')
    .replace(/^static async /, 'static ')
    .replaceAll('( ', '(')
    .replaceAll(', )', ')')
    .replace(/[=;,]?\s*$/, '')
}

/** The comment that ends right before a node, as Markdown. */
function docOf({ comments, text }: Source, node: SyntaxNode): string {
  const comment = comments.findLast(
    ({ end, value }) =>
      end <= node.start && value.startsWith('*') && text.slice(end, node.start).trim() === '',
  )
  if (comment === undefined) return ''
  const lines = comment.value
    .slice(1)
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''))
  return fenced(lines.join('\n').trim())
}

/** In comments, samples are indented by four. */
function fenced(text: string): string {
  return text
    .replace(/(?:^ {4}.*(?:\n|$))+/gm, (sample) => {
      const code = sample.replace(/^ {4}/gm, '').trimEnd()
      return `\`\`\`ts\n${code}\n\`\`\`\n`
    })
    .trimEnd()
    .replaceAll(' @throws', '\n\nThrows')
    .replaceAll(/^@throws/gm, 'Throws')
}

function indented(text: string): string {
  return text === '' ? '' : `\n${text.replace(/^(?=.)/gm, '  ')}`
}

if (import.meta.main) writeFileSync(path, workflowDocs())
