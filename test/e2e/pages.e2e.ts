import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import axe, { type AxeResults } from 'axe-core'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { journey, resultsDirectory } from './journey.ts'
import type { KyrosServer } from './kyros-server.ts'
import { analysisMs } from './run-page.ts'
import { makeCrowdedRepository } from './sample-repository.ts'
import { waitFor } from './wait-for.ts'
import { isNobody, signIn } from './watched-page.ts'

const screens = join(resultsDirectory, 'screens')
const wide = { width: 1280, height: 800 }
const narrow = { width: 400, height: 800 }

/** A page in a state: where it is, and what must be seen before it is looked at. */
type Scene = { name: string; path: string; open: (page: Page) => Promise<unknown> }

journey(
  'no page has a serious fault of accessibility or breaks the policy of its content',
  async ({ visit, server, directory }) => {
    const { page, takeFaults } = visit
    mkdirSync(screens, { recursive: true })
    const ids = await makeContent(server, makeCrowdedRepository(directory))
    const faults = await look(page, signInScene)
    await page.setViewportSize(wide)
    expect(takeFaults().filter((fault) => !isNobody(fault))).toEqual([])
    await signIn(visit)
    for (const scene of scenesOf(ids)) faults.push(...(await look(page, scene)))
    expect(faults).toEqual([])
  },
)

const signInScene: Scene = {
  name: 'sign-in',
  path: '/login',
  open: (page) => page.getByRole('heading', { name: 'Sign in' }).waitFor(),
}

type Ids = { report: string; failed: string; waiting: string }

function scenesOf({ report, failed, waiting }: Ids): Scene[] {
  const heading = (name: string) => (page: Page) => page.getByRole('heading', { name, level: 1 }).waitFor()
  const run = (tab: string) => `/runs/${report}?tab=${tab}`
  return [
    { name: 'home', path: '/', open: (page) => page.getByText('is healthy').waitFor() },
    { name: 'jobs', path: '/jobs', open: (page) => page.getByRole('row').nth(3).waitFor() },
    { name: 'jobs-none', path: '/jobs?q=nothing', open: heading('Jobs') },
    { name: 'runs', path: '/runs', open: (page) => page.getByRole('row').nth(3).waitFor() },
    { name: 'new-job', path: '/jobs/new', open: (page) => page.getByLabel('Title (optional)').waitFor() },
    { name: 'run-report', path: run('report'), open: (page) => openFirst(page, /\.js:\d+$/) },
    {
      name: 'run-timeline',
      path: run('timeline'),
      open: (page) => page.getByRole('button', { name: 'FetchCode' }).click(),
    },
    {
      name: 'run-logs',
      path: run('logs'),
      open: (page) => page.getByRole('region', { name: 'Log' }).waitFor(),
    },
    { name: 'run-events', path: run('events'), open: (page) => openFirst(page, /step\.completed/) },
    {
      name: 'run-values',
      path: run('values'),
      open: (page) => page.getByRole('list').getByText('report.md').waitFor(),
    },
    { name: 'run-failed', path: `/runs/${failed}`, open: heading('A repository that is not there') },
    { name: 'job', path: `/jobs/${waiting}`, open: (page) => page.getByText('Waiting: agent').waitFor() },
    { name: 'palette', path: '/jobs', open: (page) => openPalette(page) },
    {
      name: 'no-such-page',
      path: '/settings/none',
      open: (page) => page.getByRole('main').getByText('There is no such page').waitFor(),
    },
  ]
}

async function openFirst(page: Page, name: RegExp) {
  await page.getByRole('button', { name }).first().click()
}

async function openPalette(page: Page) {
  await page.getByRole('heading', { name: 'Jobs', level: 1 }).waitFor()
  await page.keyboard.press('Control+k')
  await page.getByRole('option', { name: /Home/ }).waitFor()
}

/** Shows a scene wide in both themes and narrow, takes its pictures, and answers the serious faults. */
async function look(page: Page, { name, path, open }: Scene): Promise<string[]> {
  await page.setViewportSize(wide)
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' })
  await page.goto(path)
  await open(page)
  await page.evaluate(`${axe.source}; undefined`)
  const faults = await lookOnce(page, `${name}-light`)
  await page.emulateMedia({ colorScheme: 'dark' })
  faults.push(...(await lookOnce(page, `${name}-dark`)))
  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize(narrow)
  faults.push(...(await lookOnce(page, `${name}-narrow`)))
  return faults
}

async function lookOnce(page: Page, name: string): Promise<string[]> {
  // Colours that are still on their way from one theme to the other would be measured otherwise.
  await page.evaluate(
    'Promise.all(document.getAnimations().map((one) => one.finished.catch(() => undefined)))',
  )
  const { violations } = await page.evaluate<AxeResults>("axe.run(document, { resultTypes: ['violations'] })")
  await page.screenshot({ path: join(screens, `${name}.png`) })
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${name}: ${id} at ${nodes.map(({ target }) => target.join(' ')).join(', ')}`)
}

/** A run of each kind that a page shows in its own way. */
async function makeContent({ api }: KyrosServer, repository: string): Promise<Ids> {
  const workflow = 'code_analysis'
  const analysis = await api.call('submitJob', {
    body: { title: 'Nightly analysis of the accounts', workflow, input: { repository } },
  })
  const title = 'A repository that is not there'
  const failed = await api.call('submitJob', {
    body: { title, workflow, input: { repository: '/not/there' } },
  })
  const waiting = await api.call('submitJob', {
    body: {
      title:
        'Compare the statements of all customers of the last twelve months with what the bank reports, and write to everyone concerned where they differ',
    },
  })
  for (const id of [analysis.run_id, failed.run_id])
    await waitFor('an analysis to end', analysisMs, async () => {
      const { completed_at } = await api.call('getRun', { params: { id } })
      return completed_at ?? undefined
    })
  return { report: analysis.run_id, failed: failed.run_id, waiting: waiting.id }
}
