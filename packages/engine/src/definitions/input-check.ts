import type { Json } from '@kyros/contract/json'
import { type FieldError, problem } from '@kyros/contract/problem'
import type { CatalogueEntry } from '@kyros/workflows/catalogue'
import { Compile } from 'typebox/compile'

export type InputCheck = (input: Json) => void

const maxErrors = 50

/** Compiles a workflow's input schema. The check throws `workflow_input_invalid` with the path of every fault. */
export function compileInputCheck(entry: CatalogueEntry): InputCheck {
  const validator = Compile(entry.inputSchema)
  return (input) => {
    if (validator.Check(input)) return
    const errors: FieldError[] = validator
      .Errors(input)
      .slice(0, maxErrors)
      .map((error) => ({ path: `/input${error.instancePath}`, message: error.message }))
    const places = errors.map(({ path, message }) => `${path} ${message}`).join('; ')
    throw problem('workflow_input_invalid', {
      detail: `The input of ${entry.name} does not fit its schema: ${places}.`,
      errors,
    })
  }
}
