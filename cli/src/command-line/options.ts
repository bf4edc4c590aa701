import { wrongUsage } from './command-error.ts'

/** The options a command was called with, read by their long name in camel case. */
export type Options = {
  text(name: string): string | undefined
  flag(name: string): boolean
  /** @throws CommandError when it is not a whole number within the bounds */
  integer(name: string, bounds: { minimum: number; maximum: number }): number | undefined
}

export function createOptions(values: Readonly<Record<string, unknown>>): Options {
  const text = (name: string) => {
    const value = values[name]
    return typeof value === 'string' ? value : undefined
  }
  return {
    text,
    flag: (name) => values[name] === true,
    integer(name, { minimum, maximum }) {
      const raw = text(name)
      if (raw === undefined) return undefined
      const value = Number(raw)
      if (Number.isSafeInteger(value) && value >= minimum && value <= maximum) return value
      const flag = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
      throw wrongUsage(`--${flag} is not right: ${raw}`, `Give a whole number from ${minimum} to ${maximum}.`)
    },
  }
}
