// A page that remembers everything that went wrong in it.
// cspell:ignore requestfailed
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { admin } from './kyros-server.ts'

/** Generous, because a slow machine may do other things too; every wait of a page ends with it. */
export const patienceMs = 30_000

export type WatchedPage = {
  page: Page
  context: BrowserContext
  /** What went wrong since the last call: errors of scripts, requests that failed or were refused, broken policies. */
  takeFaults: () => string[]
}

/** The browser says so itself for each failed request, which `takeFaults` names already with its address. */
const saidTwice = 'Failed to load resource'
/** A page that is left, or a stream that is closed, takes its requests along. */
const leftBehind = 'net::ERR_ABORTED'

/** Opens an empty page at `origin` that stops waiting after `patienceMs`. */
export async function openPage(
  browser: Browser,
  origin: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({
    baseURL: origin,
    viewport: { width: 1280, height: 800 },
    acceptDownloads: true,
    ...options,
  })
  context.setDefaultTimeout(patienceMs)
  const page = await context.newPage()
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(`error in the page: ${error.stack ?? error.message}`))
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith(saidTwice))
      faults.push(`console: ${message.text()}`)
  })
  page.on('requestfailed', (request) => {
    const why = request.failure()?.errorText ?? 'unknown'
    if (why !== leftBehind) faults.push(`${request.method()} ${pathOf(request.url())} failed: ${why}`)
  })
  page.on('response', (response) => {
    if (response.status() < 400) return
    faults.push(`${response.request().method()} ${pathOf(response.url())} answered ${response.status()}`)
  })
  return { page, context, takeFaults: () => faults.splice(0) }
}

function pathOf(url: string): string {
  return new URL(url).pathname
}

/** Signs in through the page, from wherever it leads when nobody is signed in yet. */
export async function signIn({ page, takeFaults }: WatchedPage, path = '/'): Promise<void> {
  await page.goto(path)
  await page.getByLabel('E-mail').fill(admin.email)
  await page.getByLabel('Password', { exact: true }).fill(admin.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('navigation', { name: 'Pages' }).waitFor({ state: 'attached' })
  const unexpected = takeFaults().filter((fault) => !isNobody(fault))
  if (unexpected.length > 0) throw new Error(`While signing in:\n${unexpected.join('\n')}`)
}

/** The console learns from a 401 that nobody is signed in: the way to the sign-in page. */
export function isNobody(fault: string): boolean {
  return /\/auth\/(user|refresh) answered 401$/.test(fault)
}
