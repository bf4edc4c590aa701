// biome-ignore-all lint/correctness/noEmptyPattern: vitest reads from the pattern what a fixture needs.
// What every journey stands on: one server and one browser for a file, one watched page for a test.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'vitest'
import { startKyros } from './kyros-server.ts'
import { launchBrowser } from './launch-browser.ts'
import { openPage } from './watched-page.ts'

/** Pictures of pages and of what a failing journey saw last. */
export const resultsDirectory = fileURLToPath(new URL('../../test-results', import.meta.url))

/** A test with a server, a browser and a page. It fails when anything went wrong in the page that it did not take. */
export const journey = test
  .extend('directory', { scope: 'file' }, ({}, { onCleanup }) => {
    const directory = mkdtempSync(join(tmpdir(), 'kyros-e2e-'))
    onCleanup(() => rmSync(directory, { recursive: true, force: true }))
    return directory
  })
  .extend('server', { scope: 'file' }, async ({}, { onCleanup }) => {
    const server = await startKyros()
    onCleanup(server.remove)
    return server
  })
  .extend('browser', { scope: 'file' }, async ({}, { onCleanup }) => {
    const browser = await launchBrowser()
    onCleanup(() => browser.close())
    return browser
  })
  .extend('visit', async ({ browser, server, task }, { onCleanup }) => {
    const visit = await openPage(browser, server.origin)
    onCleanup(async () => {
      const faults = visit.takeFaults()
      if (task.result?.state === 'fail') await picture(visit.page, task.name)
      await visit.context.close()
      if (faults.length > 0) throw new Error(`Went wrong in the page:\n${faults.join('\n')}`)
    })
    return visit
  })

type Picturable = { screenshot: (options: { path: string }) => Promise<unknown> }

/** Best effort: the test has failed already, and its own reason is the one to read. */
async function picture(page: Picturable, name: string): Promise<void> {
  mkdirSync(join(resultsDirectory, 'failed'), { recursive: true })
  const file = `${name.replaceAll(/[^a-z0-9]+/gi, '-').slice(0, 80)}.png`
  await page.screenshot({ path: join(resultsDirectory, 'failed', file) }).catch(() => undefined)
}
