import type { Json } from '@kyros/contract/json'
import { type FieldError, problem } from '@kyros/contract/problem'
import type { CatalogueEntry } from '@kyros/workflows/catalogue'
import { Compile } from 'typebox/compile'
import type { TLocalizedValidationError } from 'typebox/error'

export type InputCheck = (input: Json) => void

const maxErrors = 50

/** Compiles a workflow's input schema. The check throws `workflow_input_invalid` with the path of every fault. */
export function compileInputCheck(entry: CatalogueEntry): InputCheck {
  const validator = Compile(entry.inputSchema)
  return (input) => {
    if (validator.Check(input)) return
    const errors = faultsOf(validator.Errors(input).slice(0, maxErrors), entry.inputSchema)
    const places = errors.map(({ path, message }) => `${path} ${message}`).join('; ')
    throw problem('workflow_input_invalid', {
      detail: `The input of ${entry.name} does not fit its schema: ${places}.`,
      errors,
    })
  }
}

/** In the words that the API uses for every other field; what the branches of a union allow becomes one fault. */
function faultsOf(found: readonly TLocalizedValidationError[], schema: object): FieldError[] {
  const allowed = Map.groupBy(
    found.filter((error) => error.keyword === 'const'),
    ({ instancePath }) => instancePath,
  )
  const choices = [...allowed].map(([path, errors]) => ({
    path: `/input${path}`,
    message: `must be one of: ${errors.map(({ params }) => params.allowedValue).join(', ')}`,
  }))
  const others = found
    .filter(({ keyword, instancePath }) => keyword !== 'anyOf' || !allowed.has(instancePath))
    .flatMap((error) => faultOf(error, schema))
  return [...others, ...choices]
}

function faultOf(error: TLocalizedValidationError, schema: object): FieldError[] {
  const path = `/input${error.instancePath}`
  switch (error.keyword) {
    case 'required':
      return error.params.requiredProperties.map((name) => ({
        path: `${path}/${name}`,
        message: 'is missing',
      }))
    case 'boolean':
      return [{ path, message: 'is not a field that is known here' }]
    // Each unknown field is named by a fault of its own, above.
    case 'additionalProperties':
    case 'const':
      return []
    case 'enum':
      return [{ path, message: `must be one of: ${error.params.allowedValues.join(', ')}` }]
    case 'minLength':
      return [{ path, message: error.params.limit === 1 ? 'must not be empty' : error.message }]
    case 'pattern':
      return [{ path, message: patternMessage(schema, error.instancePath) ?? error.message }]
    default:
      return [{ path, message: error.message }]
  }
}

/** What the schema itself says of a text that does not fit its pattern: few people read patterns. */
function patternMessage(schema: object, path: string): string | undefined {
  let node: unknown = schema
  for (const name of path.split('/').slice(1)) node = member(member(node, 'properties'), name)
  const message = member(node, 'patternMessage')
  return typeof message === 'string' ? message : undefined
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  return Object.entries(value).find(([key]) => key === name)?.[1]
}
