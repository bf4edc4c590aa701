import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import type { WorkflowFault } from '@kyros/contract/workflow-fault'
import type { StepFunction } from '../embedded/attempt.ts'
import { atGeneration, resolveForAuthors } from './author-modules.ts'
import { errorAt } from './fault.ts'
import { parseFile } from './syntax-tree.ts'
import { placeOfError, withinTime } from './untrusted-module.ts'

export type AuthorSteps = { readonly [step: string]: StepFunction }

/**
 * Loads a steps file with Node itself: its code may do anything, and runs in this process. Another `generation` loads
 * the file and every file of the project that it imports anew; 0 is the first.
 */
export async function loadAuthorSteps(
  file: string,
  generation: number,
): Promise<{ steps: AuthorSteps } | { fault: WorkflowFault }> {
  const text = await readFile(file, 'utf8')
  const { faults, lineOf, body } = parseFile(file, text)
  const [first] = faults
  if (first !== undefined) {
    return { fault: errorAt({ file, line: first.line }, 'syntax_error', first.message, 'correct the file') }
  }
  resolveForAuthors()
  const address = pathToFileURL(file).href
  const versioned = generation === 0 ? address : atGeneration(address, String(generation))
  try {
    const module: object = await withinTime(import(/* @vite-ignore */ versioned))
    const found = 'steps' in module ? module.steps : undefined
    if (isSteps(found)) return { steps: found }
  } catch (error) {
    const { place, message } = placeOfError(error, file)
    return { fault: errorAt(place, 'steps_invalid', `cannot be loaded: ${message}`, 'correct what it names') }
  }
  const exported = body.find((node) => /\bsteps\b/.test(text.slice(node.start, node.end)))
  const line = exported === undefined ? null : lineOf(exported.start)
  const hint = 'export const steps = { Name: async (input, context) => … }'
  return {
    fault: errorAt({ file, line }, 'steps_invalid', 'exports no object of functions as `steps`', hint),
  }
}

function isSteps(value: unknown): value is AuthorSteps {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((one) => typeof one === 'function')
  )
}
