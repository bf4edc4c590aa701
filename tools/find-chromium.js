// Browser tests drive a Chromium that the machine already has; nothing is downloaded for them.
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const names = ['chromium', 'chromium-browser', 'google-chrome']

/**
 * The path of a Chromium: KYROS_TEST_CHROMIUM, or the first known name in PATH; undefined when there is none.
 * @returns {string | undefined}
 */
export function findChromium() {
  const given = process.env.KYROS_TEST_CHROMIUM
  if (given) return existsSync(given) ? given : undefined
  const directories = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  return names
    .flatMap((name) => directories.map((directory) => join(directory, name)))
    .find((path) => existsSync(path))
}
