import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { journey } from './journey.ts'
import type { KyrosServer } from './kyros-server.ts'
import { waitFor } from './wait-for.ts'
import { patienceMs, signIn, type WatchedPage } from './watched-page.ts'

const jobs = 260
/** One job in so many has another title, and some of these are cancelled. */
const nightlyEvery = 20
const cancelled = 3
const atOnce = 10

journey(
  'the list of jobs is filtered, searched and paged, and its address says how',
  async ({ visit, server }) => {
    await makeJobs(server)
    await signIn(visit, '/jobs')
    const { page } = visit
    await page.getByText(`${jobs} jobs`, { exact: true }).waitFor()
    await scrollToEnd(page, 'Job 1')
    await filter(page, 'status:cancelled')
    await page.getByText(`${cancelled} jobs`, { exact: true }).waitFor()
    await page.reload()
    await page.getByText(`${cancelled} jobs`, { exact: true }).waitFor()
    expect(await page.getByRole('searchbox', { name: 'Filter' }).inputValue()).toBe('status:cancelled')
    await filter(page, 'nightly')
    await page.getByText(`${jobs / nightlyEvery} jobs`, { exact: true }).waitFor()
    await page.getByRole('button', { name: /^cancelled/i }).click()
    await page.getByText(`${cancelled} jobs`, { exact: true }).waitFor()
    expect(queryOf(page)).toBe('status:cancelled nightly')
    await page.goBack()
    await page.goForward()
    await page.getByText(`${cancelled} jobs`, { exact: true }).waitFor()
    await filter(page, 'status:broken')
    await page.getByRole('alert').getByText('There is no status “broken”').waitFor()
    await filter(page, 'nothing is called so')
    await page.getByRole('button', { name: 'Show all jobs' }).click()
    await page.getByText(`${jobs} jobs`, { exact: true }).waitFor()
    expect(queryOf(page)).toBeNull()
  },
)

journey('a job that comes while the list is looked at waits for a click', async ({ visit, server }) => {
  const { page } = visit
  await server.api.call('submitJob', { body: { title: 'Already there' } })
  await signIn(visit, '/jobs')
  await page.getByRole('link', { name: 'Already there' }).first().waitFor()
  await liveIn(visit)
  await server.api.call('submitJob', { body: { title: 'Just come' } })
  await page.getByRole('button', { name: '1 new' }).click()
  await page.getByRole('link', { name: 'Just come' }).waitFor()
})

journey('the keys lead through the console', async ({ visit, server }) => {
  const { page } = visit
  const job = await server.api.call('submitJob', { body: { title: 'Found by its name' } })
  await signIn(visit, '/jobs')
  await page.getByRole('heading', { name: 'Jobs', level: 1 }).waitFor()
  await page.keyboard.press('?')
  const help = page.getByRole('dialog', { name: 'Keyboard shortcuts' })
  await help.getByText('Go to anything').waitFor()
  await page.keyboard.press('Escape')
  await help.waitFor({ state: 'hidden' })
  await page.keyboard.press('/')
  await page.keyboard.type('found by')
  await page.getByText('1 job', { exact: true }).waitFor()
  await page.keyboard.press('Escape')
  await goTo(page, 'Runs', 'page')
  await page.getByRole('heading', { name: 'Runs', level: 1 }).waitFor()
  expect(new URL(page.url()).pathname).toBe('/runs')
  await goTo(page, 'Found by its', 'job')
  await page.getByRole('heading', { name: 'Found by its name', level: 1 }).waitFor()
  expect(new URL(page.url()).pathname).toBe(`/runs/${job.run_id}`)
})

/** Opens the palette, types, and takes the first that fits. */
async function goTo(page: Page, text: string, kind: string) {
  await page.keyboard.press('Control+k')
  const palette = page.getByRole('dialog', { name: 'Go to anything' })
  await palette.getByRole('combobox').fill(text)
  await palette.getByRole('option', { name: `${kind} ${text}`, selected: true }).waitFor()
  await page.keyboard.press('Enter')
  await palette.waitFor({ state: 'hidden' })
}

async function liveIn({ page }: WatchedPage) {
  await page.getByRole('banner').getByRole('status').getByText('Live', { exact: true }).waitFor()
}

async function makeJobs({ api }: KyrosServer) {
  const numbers = Array.from({ length: jobs }, (_, index) => index + 1)
  const nightly: string[] = []
  const make = async (number: number) => {
    const isNightly = number % nightlyEvery === 0
    const title = isNightly ? `Nightly backup ${number}` : `Job ${number}`
    const { id } = await api.call('submitJob', { body: { title } })
    if (isNightly) nightly.push(id)
  }
  // One before the others, so that it is the oldest and so the last of the list.
  await make(numbers.shift() ?? 1)
  while (numbers.length > 0) await Promise.all(numbers.splice(0, atOnce).map(make))
  for (const id of nightly.slice(0, cancelled)) await api.call('cancelJob', { params: { id }, body: {} })
}

/** Goes down as far as it goes until the row is there: further pages come when the end of the last is near. */
async function scrollToEnd(page: Page, title: string) {
  const list = page.getByRole('region', { name: 'jobs' })
  const last = list.getByRole('link', { name: title, exact: true })
  await list.focus()
  await waitFor(`the row ${title} to come into sight`, patienceMs, async () => {
    await page.keyboard.press('End')
    return (await last.isVisible()) ? true : undefined
  })
}

async function filter(page: Page, text: string) {
  await page.getByRole('searchbox', { name: 'Filter' }).fill(text)
  await page.waitForURL((url) => url.searchParams.get('q') === text)
}

function queryOf(page: Page): string | null {
  return new URL(page.url()).searchParams.get('q')
}
