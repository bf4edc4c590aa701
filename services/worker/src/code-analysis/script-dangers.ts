import type { Analyzer } from './area-analyzer.ts'
import type { FileUnderAnalysis } from './file-under-analysis.ts'
import {
  childOf,
  childrenOf,
  dottedName,
  nameOf,
  plain,
  type SyntaxNode,
  stringValue,
  type Visit,
  walkTree,
} from './syntax-tree.ts'
import { analyzerVersions } from './tool-versions.ts'

/** Dangerous calls in JavaScript and TypeScript, found in the syntax tree. */
export function scriptDangers(): Analyzer {
  return {
    name: 'kyros-script-security',
    version: `1 (oxc-parser ${analyzerVersions.oxcParser})`,
    file(file) {
      if (!file.isScript || !file.isProduct || file.file.path.endsWith('.d.ts')) return false
      const imports = childProcessNames(file)
      const visits: [string, Visit][] = [
        ['CallExpression', (node) => checkCall(file, node, imports)],
        ['NewExpression', (node) => checkNew(file, node)],
        ['AssignmentExpression', (node) => checkAssignment(file, node)],
        ['VariableDeclarator', (node) => checkWeakRandom(file, childOf(node, 'id'), childOf(node, 'init'))],
        ['Property', (node) => checkProperty(file, node)],
        ['JSXAttribute', (node) => checkAttribute(file, node)],
      ]
      walkTree(file.parsed.program, { enter: new Map(visits.map(([type, visit]) => [type, [visit]])) })
      return true
    },
  }
}

/** Local names for functions of child_process; `exec` alone is too common a name to go by. */
function childProcessNames(file: FileUnderAnalysis): ReadonlySet<string> {
  const names = new Set<string>()
  for (const found of file.parsed.module.staticImports) {
    if (!/^(node:)?child_process$/.test(found.moduleRequest.value)) continue
    for (const { localName } of found.entries) names.add(localName.value)
  }
  for (const match of file.text.matchAll(
    /(?:const|let|var)\s+(\{[^}]*\}|\w+)\s*=\s*require\(['"](?:node:)?child_process['"]\)/g,
  )) {
    for (const name of (match[1] ?? '').matchAll(/\w+/g)) names.add(name[0])
  }
  return names
}

/** A template with values in it, or a sum with something that is no literal. */
function isBuiltText(node: SyntaxNode | undefined): boolean {
  if (node === undefined) return false
  if (node.type === 'TemplateLiteral')
    return childrenOf(node, 'expressions').some((part) => part.type !== 'Literal')
  if (node.type !== 'BinaryExpression' || node.operator !== '+') return false
  const [left, right] = [childOf(node, 'left'), childOf(node, 'right')]
  const parts = [left, right]
  const hasText = parts.some(
    (part) => stringValue(part) !== undefined || part?.type === 'TemplateLiteral' || isBuiltText(part),
  )
  return hasText && parts.some((part) => part !== undefined && part.type !== 'Literal')
}

function literalText(node: SyntaxNode | undefined): string {
  if (node === undefined) return ''
  if (node.type === 'TemplateLiteral')
    return childrenOf(node, 'quasis')
      .map((part) => templateText(part))
      .join(' ? ')
  if (node.type === 'BinaryExpression')
    return `${literalText(childOf(node, 'left'))} ${literalText(childOf(node, 'right'))}`
  return stringValue(node) ?? '?'
}

function templateText(node: SyntaxNode): string {
  const { value } = node
  return typeof value === 'object' && value !== null && 'raw' in value && typeof value.raw === 'string'
    ? value.raw
    : ''
}

const sqlStatement =
  /^\s*(?:select\b[\s\S]{1,2000}\bfrom\b|insert\s+into\b|update\b[\s\S]{1,500}\bset\b|delete\s+from\b|drop\s+(?:table|database)\b|merge\s+into\b)/i
const sqlCalls =
  /^(query|execute|exec|raw|run|all|get|prepare|unsafe|\$queryRawUnsafe|\$executeRawUnsafe|each|one|any|none|many|sql)$/
const fromRequest =
  /^(?:req|request|ctx|context\.request|ctx\.request|event)\.(?:query|params|body|headers|cookies|queryStringParameters|pathParameters)\b/

function isFromRequest(node: SyntaxNode | undefined): boolean {
  if (node === undefined) return false
  if (node.type === 'TemplateLiteral') return childrenOf(node, 'expressions').some(isFromRequest)
  if (node.type === 'BinaryExpression')
    return isFromRequest(childOf(node, 'left')) || isFromRequest(childOf(node, 'right'))
  if (
    node.type === 'CallExpression' &&
    /(^|\.)(join|resolve|normalize)$/.test(dottedName(childOf(node, 'callee')) ?? '')
  ) {
    return childrenOf(node, 'arguments').some(isFromRequest)
  }
  return fromRequest.test(dottedName(node) ?? '')
}

function checkCall(file: FileUnderAnalysis, node: SyntaxNode, childProcess: ReadonlySet<string>): void {
  const callee = childOf(node, 'callee')
  const name = dottedName(callee) ?? ''
  const method = name.split('.').at(-1) ?? ''
  const [first, second] = childrenOf(node, 'arguments')
  const place = { start: node.start, end: node.end }
  if (first === undefined) return
  if ((name === 'eval' || name === 'window.eval' || name === 'globalThis.eval') && first.type !== 'Literal') {
    file.report('security/eval', place, 'eval runs whatever text it is given.')
  } else if (/^(setTimeout|setInterval)$/.test(name) && isBuiltText(first)) {
    file.report('security/eval', place, `${name} runs a text as code.`)
  } else if (
    /(^|\.)vm\.(runInThisContext|runInNewContext|runInContext)$|^vm\.Script$/.test(name) &&
    first.type !== 'Literal'
  ) {
    file.report('security/eval', place, `${name} is not a sandbox for foreign code.`, { severity: 'medium' })
  }
  checkProcess(file, node, name, childProcess)
  if (
    sqlCalls.test(method) &&
    callee?.type === 'MemberExpression' &&
    isBuiltText(first) &&
    sqlStatement.test(literalText(first))
  ) {
    file.report(
      'security/sql-injection',
      place,
      `The statement given to ${method} contains values.`,
      sqlSeverity(file, first),
    )
  }
  if (/^document\.(write|writeln)$/.test(name) && first.type !== 'Literal') {
    file.report('security/html-injection', place, `${name} writes text as HTML.`)
  } else if (
    method === 'insertAdjacentHTML' &&
    second !== undefined &&
    second.type !== 'Literal' &&
    isBuiltText(second)
  ) {
    file.report('security/html-injection', place, 'insertAdjacentHTML is given text with values in it.')
  }
  checkRequestData(file, node, name, method, first)
  checkCryptography(file, node, method, first)
  if (method === 'postMessage' && stringValue(second) === '*') {
    file.report('security/wildcard-message', place, 'postMessage to any origin.')
  }
}

const valuePosition = /(?:[=<>'"%]|\b(?:like|values\s*\(|in\s*\(|limit|offset|set|where|and|or|between))\s*$/i

/** Names of tables and columns cannot be parameters; only a value in the text is an open door. */
function sqlSeverity(file: FileUnderAnalysis, node: SyntaxNode): { severity?: 'low' } {
  if (node.type !== 'TemplateLiteral') return {}
  const before = childrenOf(node, 'quasis').map(templateText)
  const isHarmless = (part: SyntaxNode, index: number) => {
    const text = file.text.slice(part.start, part.end)
    const isConstant = /^[A-Z][A-Z0-9_]*$/.test((dottedName(part) ?? '').split('.').at(-1) ?? '')
    // A generated list of `?` or `$1` is how values are kept out.
    return isConstant || /['"`](?:\?|\$)/.test(text) || !valuePosition.test(before[index] ?? '')
  }
  return childrenOf(node, 'expressions').every(isHarmless) ? { severity: 'low' } : {}
}

function checkProcess(
  file: FileUnderAnalysis,
  node: SyntaxNode,
  name: string,
  childProcess: ReadonlySet<string>,
): void {
  const [first] = childrenOf(node, 'arguments')
  const base = name.split('.')[0] ?? ''
  const method = name.split('.').at(-1) ?? ''
  if (!childProcess.has(base) && !childProcess.has(name)) return
  const place = { start: node.start, end: node.end }
  if (/^exec(Sync)?$/.test(method)) {
    if (isFromRequest(first))
      file.report('security/command-injection', place, `${method} runs a command from a request.`, {
        severity: 'critical',
      })
    else if (isBuiltText(first))
      file.report('security/command-injection', place, `${method} hands a text with values in it to a shell.`)
  } else if (/^(spawn|spawnSync|execFile|execFileSync)$/.test(method)) {
    const options = childrenOf(node, 'arguments').find((argument) => argument.type === 'ObjectExpression')
    const shell = childrenOf(options, 'properties').find(
      (property) => nameOf(childOf(property, 'key')) === 'shell',
    )
    if (childOf(shell, 'value')?.value === true)
      file.report('security/shell', place, `${method} with shell: true.`)
  }
}

function checkRequestData(
  file: FileUnderAnalysis,
  node: SyntaxNode,
  name: string,
  method: string,
  first: SyntaxNode,
): void {
  if (!isFromRequest(first)) return
  const place = { start: node.start, end: node.end }
  if (
    /^(fs|fsPromises|fsp|promises)\./.test(name) ||
    /^(sendFile|createReadStream|readFile|readFileSync|unlink|writeFile)$/.test(method)
  ) {
    file.report('security/path-traversal', place, `${method} opens a path from the request.`)
  } else if (method === 'redirect')
    file.report('security/open-redirect', place, 'The target comes from the request.')
  else if (/^(fetch|axios(\.\w+)?|got(\.\w+)?|https?\.(get|request))$/.test(name)) {
    file.report('security/request-forgery', place, `${name} goes to an address from the request.`)
  } else if (name === 'RegExp')
    file.report('security/regex-injection', place, 'The pattern comes from the request.')
}

function checkCryptography(
  file: FileUnderAnalysis,
  node: SyntaxNode,
  method: string,
  first: SyntaxNode,
): void {
  const algorithm = stringValue(first)?.toLowerCase() ?? ''
  const place = { start: node.start, end: node.end }
  if (/^create(Hash|Hmac)$/.test(method) && /^(md4|md5|sha1|sha-1|rsa-sha1)$/.test(algorithm)) {
    file.report('security/weak-hash', place, `${method}(${JSON.stringify(algorithm)})`)
  } else if (/^createCipher(iv)?$/.test(method) && /(^|-)(des|rc4|rc2|ecb|bf)(-|$)/.test(algorithm)) {
    file.report('security/weak-cipher', place, `${method}(${JSON.stringify(algorithm)})`)
  }
}

function checkNew(file: FileUnderAnalysis, node: SyntaxNode): void {
  const name = dottedName(childOf(node, 'callee'))
  const parameters = childrenOf(node, 'arguments')
  const body = parameters.at(-1)
  if (name === 'Function' && body !== undefined && body.type !== 'Literal') {
    file.report('security/eval', { start: node.start, end: node.end }, 'new Function runs text as code.', {
      severity: 'medium',
    })
  } else if (name === 'RegExp' && isFromRequest(parameters[0])) {
    file.report(
      'security/regex-injection',
      { start: node.start, end: node.end },
      'The pattern comes from the request.',
    )
  }
}

function checkAssignment(file: FileUnderAnalysis, node: SyntaxNode): void {
  const left = childOf(node, 'left')
  const right = childOf(node, 'right')
  const place = { start: node.start, end: node.end }
  const property = nameOf(childOf(left, 'property'))
  if ((property === 'innerHTML' || property === 'outerHTML') && isBuiltText(right)) {
    file.report('security/html-injection', place, `${property} is set to text with values in it.`)
  } else if (
    dottedName(left) === 'process.env.NODE_TLS_REJECT_UNAUTHORIZED' &&
    /^['"]?0['"]?$/.test(String(right?.value))
  ) {
    file.report(
      'security/tls-off',
      place,
      'NODE_TLS_REJECT_UNAUTHORIZED=0 switches verification off for the whole process.',
    )
  }
  checkWeakRandom(file, left, right)
}

function checkWeakRandom(
  file: FileUnderAnalysis,
  target: SyntaxNode | undefined,
  value: SyntaxNode | undefined,
): void {
  const name = (dottedName(target) ?? '').split('.').at(-1) ?? ''
  if (
    value === undefined ||
    !/(token|secret|passw|nonce|salt|sessionid|csrf|apikey|otp|resetcode)/i.test(name.replaceAll('_', ''))
  )
    return
  if (value.type.includes('Function')) return
  const text = file.text.slice(value.start, Math.min(value.end, value.start + 400))
  if (text.includes('Math.random()')) {
    file.report(
      'security/weak-random',
      { start: value.start, end: value.end },
      `"${name}" is made with Math.random.`,
    )
  }
}

function checkProperty(file: FileUnderAnalysis, node: SyntaxNode): void {
  const key = nameOf(childOf(node, 'key'))
  const value = childOf(node, 'value')?.value
  const place = { start: node.start, end: node.end }
  if (key === 'rejectUnauthorized' && value === false)
    file.report('security/tls-off', place, 'rejectUnauthorized: false')
  else if (key === 'nodeIntegration' && value === true)
    file.report('security/electron', place, 'nodeIntegration: true')
  else if (key === 'contextIsolation' && value === false)
    file.report('security/electron', place, 'contextIsolation: false')
  else if (key === 'httpOnly' && value === false)
    file.report('security/insecure-cookie', place, 'httpOnly: false')
}

function checkAttribute(file: FileUnderAnalysis, node: SyntaxNode): void {
  const { name } = node
  const isDangerous =
    typeof name === 'object' && name !== null && 'name' in name && name.name === 'dangerouslySetInnerHTML'
  if (!isDangerous) return
  const expression = childOf(childOf(node, 'value'), 'expression')
  const html = childrenOf(expression, 'properties').map((property) => childOf(property, 'value'))[0]
  const inner = html === undefined ? undefined : plain(html)
  const isClean =
    inner?.type === 'Literal' ||
    /sanitiz|purify|escape/i.test(inner === undefined ? '' : file.text.slice(inner.start, inner.end))
  if (!isClean)
    file.report(
      'security/html-injection',
      { start: node.start, end: node.end },
      'dangerouslySetInnerHTML without a sanitiser in sight.',
    )
}
