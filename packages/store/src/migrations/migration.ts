import type { Dialect } from '../statement.ts'

/** One numbered change of the schema. Each entry of a list is one SQL statement. */
export type Migration = {
  version: number
  name: string
  up(dialect: Dialect): readonly string[]
  down(dialect: Dialect): readonly string[]
}
