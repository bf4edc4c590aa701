import { basename } from 'node:path/posix'
import type { Analyzer } from './area-analyzer.ts'
import type { FileUnderAnalysis } from './file-under-analysis.ts'

/** Risky lines in GitHub workflows, Dockerfiles and Compose or Kubernetes files. */
export function pipelineChecks(): Analyzer {
  return {
    name: 'kyros-pipelines',
    version: '1',
    file(file) {
      if (file.file.role === 'vendored' || file.file.role === 'test') return false
      if (/(^|\/)\.github\/(workflows\/[^/]+|actions\/.+)\.ya?ml$/.test(file.file.path)) checkWorkflow(file)
      else if (file.file.language === 'Dockerfile') checkDockerfile(file)
      else if (file.file.language === 'YAML') checkContainers(file)
      else return false
      return true
    },
  }
}

const untrusted =
  /\$\{\{[^}]*\b(?:github\.event\.(?:issue|pull_request|comment|review|review_comment|discussion|head_commit|commits|pages|workflow_run)\b[^}]*\.(?:title|body|message|name|email|label|ref|page_name|head_branch|display_title)|github\.head_ref)\b[^}]*\}\}/g

function checkWorkflow(file: FileUnderAnalysis): void {
  const { code } = file.masked
  const isPrivileged = /\bpull_request_target\b|^\s*workflow_run\s*:/m.test(code)
  for (const match of code.matchAll(
    /\bref:\s*["']?\$\{\{[^}]*(?:pull_request\.head|head_ref|workflow_run\.head)[^}]*\}\}/g,
  )) {
    if (isPrivileged)
      file.report(
        'security/ci-untrusted-checkout',
        { start: match.index },
        'The head of a pull request is checked out with the secrets of this repository at hand.',
      )
  }
  for (const match of code.matchAll(untrusted)) {
    if (isInScript(file, match.index)) {
      file.report(
        'security/ci-script-injection',
        { start: match.index, end: match.index + match[0].length },
        'A title, body or branch name becomes part of the script.',
      )
    }
  }
  for (const match of code.matchAll(/^\s*(?:-\s*)?uses:\s*["']?([\w.-]+)\/([\w./-]+)@([\w./-]+)/gm)) {
    const [whole, owner = '', name = '', version = ''] = match
    if (/^[0-9a-f]{40}$/.test(version) || owner === 'actions' || owner === 'github') continue
    const isBranch = /^(main|master|develop|dev|latest|HEAD)$/.test(version)
    const start = match.index + whole.indexOf('uses:')
    file.report(
      'security/ci-unpinned-action',
      { start },
      `${owner}/${name}@${version} is a ${isBranch ? 'branch' : 'tag'}.`,
      { severity: isBranch ? 'medium' : 'low' },
    )
  }
  for (const match of code.matchAll(/^\s*permissions:\s*write-all\b/gm)) {
    file.report(
      'security/ci-broad-permissions',
      { start: match.index + match[0].indexOf('permissions') },
      'permissions: write-all',
    )
  }
}

/** Whether an offset of a workflow lies in the text of a `run:` or `script:` field. */
function isInScript(file: FileUnderAnalysis, offset: number): boolean {
  const line = file.source.lineAt(offset)
  const own = file.source.line(line)
  if (/^\s*(?:-\s*)?(?:run|script):/.test(own)) return true
  let indent = own.search(/\S/)
  for (let above = line - 1; above > 0; above--) {
    const text = file.source.line(above)
    const column = text.search(/\S/)
    if (column === -1 || column >= indent) continue
    if (/^\s*(?:-\s*)?(?:run|script):\s*[|>]/.test(text)) return true
    if (/^\s*(?:-\s*)?[\w-]+:/.test(text)) return false
    indent = column
  }
  return false
}

function checkDockerfile(file: FileUnderAnalysis): void {
  const { code } = file.masked
  const stages = new Set(
    [...code.matchAll(/^\s*FROM\s.*?\bAS\s+(\S+)/gim)].map((match) => match[1]?.toLowerCase()),
  )
  let lastUser: string | undefined
  let lastFrom = 0
  for (const match of code.matchAll(/^[ \t]*(FROM|USER|ADD|ENV|ARG)[ \t]+(.+)$/gim)) {
    const [, keyword = '', rest = ''] = match
    const place = { start: match.index + match[0].indexOf(keyword) }
    if (/^from$/i.test(keyword)) {
      lastUser = undefined
      lastFrom = place.start
      const image = rest.replace(/--platform=\S+\s+/, '').split(/\s/)[0] ?? ''
      const isStage = stages.has(image.toLowerCase()) || image === 'scratch' || image.includes('$')
      const tag = /:([\w.-]+)$/.exec(image)?.[1]
      if (!isStage && !image.includes('@sha256:') && (tag === undefined || tag === 'latest')) {
        file.report('security/docker-unpinned', place, `${image} may be another image tomorrow.`)
      }
    } else if (/^user$/i.test(keyword)) lastUser = rest.trim()
    else if (/^add$/i.test(keyword)) {
      if (/^(?!.*--checksum)(?:--\S+\s+)*https?:\/\//i.test(rest))
        file.report('security/docker-remote-add', place, 'Nothing checks what arrives.')
    } else if (
      /\b\w*(?:PASSWORD|SECRET|TOKEN|API_?KEY|PRIVATE_KEY)\w*\s*[= ]\s*(?!["']?\s*$|["']?\$)["']?[^\s"']{6,}/i.test(
        rest,
      )
    ) {
      file.report(
        'security/docker-secret',
        { start: place.start, end: match.index + match[0].length },
        `${keyword.toUpperCase()} keeps the value in the image.`,
        { isSecret: true },
      )
    }
  }
  const isImage = /^\s*(?:CMD|ENTRYPOINT)\b/im.test(code)
  if (lastUser === undefined ? isImage : /^(?:root|0)(?::|$)/.test(lastUser)) {
    file.report(
      'security/docker-root',
      { start: lastFrom },
      lastUser === undefined ? 'No USER is set.' : `USER ${lastUser}`,
    )
  }
}

function checkContainers(file: FileUnderAnalysis): void {
  const isContainers =
    /^(docker-)?compose[^/]*\.ya?ml$/.test(basename(file.file.path)) ||
    /^\s*kind:\s*(?:Pod|Deployment|DaemonSet|StatefulSet|Job|CronJob)\b/m.test(file.text)
  if (!isContainers) return
  for (const match of file.masked.code.matchAll(
    /^\s*(?:privileged|hostPID|hostNetwork|hostIPC):\s*true\b|\/var\/run\/docker\.sock\s*:/gm,
  )) {
    const start = match.index + (match[0].length - match[0].trimStart().length)
    file.report('security/privileged', { start }, match[0].trim().replace(/:$/, ''))
  }
}
