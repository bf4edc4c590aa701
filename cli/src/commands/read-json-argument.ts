import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { wrongUsage } from '../command-line/command-error.ts'

const maxInputLength = 10_485_760

/** The value of an option that is JSON, or `@file` with JSON in it. @throws CommandError */
export function readJsonArgument(name: string, text: string | undefined, directory: string): unknown {
  if (text === undefined) return undefined
  const source = text.startsWith('@') ? readInputFile(name, resolve(directory, text.slice(1))) : text
  try {
    return JSON.parse(source)
  } catch (error) {
    const why = error instanceof Error ? error.message : ''
    throw wrongUsage(
      `--${name} is not JSON: ${why}`,
      `Give JSON such as --${name} '{"repository": "."}', or a file with --${name} @input.json.`,
    )
  }
}

function readInputFile(name: string, path: string): string {
  try {
    const text = readFileSync(path, 'utf8')
    if (text.length <= maxInputLength) return text
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    throw wrongUsage(`${path} cannot be read (${code}).`, `Give --${name} @ and the path of a JSON file.`)
  }
  throw wrongUsage(`${path} is too large.`, `An input has at most ${maxInputLength} characters.`)
}
