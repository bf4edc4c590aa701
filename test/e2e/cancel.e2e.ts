import type { RunStatus } from '@kyros/contract/run-status'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { journey } from './journey.ts'
import type { KyrosServer } from './kyros-server.ts'
import { runStatus, stepIsShown } from './run-page.ts'
import { makeLargeRepository } from './sample-repository.ts'
import { signIn } from './watched-page.ts'

journey(
  'a job that waits for an agent says so, and is cancelled after a question',
  async ({ visit, server }) => {
    const { page } = visit
    const job = await server.api.call('submitJob', { body: { title: 'Water the plants' } })
    await signIn(visit, `/jobs/${job.id}`)
    await page.getByRole('heading', { name: 'Water the plants', level: 1 }).waitFor()
    await page.getByText('Waiting: agent missing').waitFor()
    await page.getByRole('button', { name: 'Cancel', exact: true }).click()
    await page.getByRole('button', { name: 'Not now' }).click()
    await runStatus(page, 'waiting').waitFor()
    await page.keyboard.press('c')
    await confirmCancel(page)
    await expectEverywhere(page, server, { jobId: job.id, runId: job.run_id, status: 'cancelled' })
  },
)

journey('a run at work is cancelled with its steps', async ({ visit, server, directory }) => {
  const { page } = visit
  const input = { repository: makeLargeRepository(directory, 2_500) }
  const job = await server.api.call('submitJob', {
    body: { title: 'A long one', workflow: 'code_analysis', input },
  })
  await signIn(visit, `/runs/${job.run_id}`)
  await stepIsShown(page, 'running', 'RunStaticAnalysis')
  await page.getByRole('button', { name: 'Cancel', exact: true }).click()
  await confirmCancel(page)
  await expectEverywhere(page, server, { jobId: job.id, runId: job.run_id, status: 'cancelled' })
  await stepIsShown(page, 'completed', 'FetchCode')
  await stepIsShown(page, 'cancelled', 'RunStaticAnalysis')
  const { steps } = await server.api.call('getRun', { params: { id: job.run_id } })
  expect(steps.filter(({ status }) => status === 'running' || status === 'pending')).toEqual([])
})

journey(
  'the slider shows the run at each of its events, by key, pointer and address',
  async ({ visit, server }) => {
    const { page } = visit
    const { run_id } = await server.api.call('submitJob', { body: { title: 'Look back' } })
    await server.api.call('cancelRun', { params: { id: run_id }, body: {} })
    await signIn(visit, `/runs/${run_id}`)
    await runStatus(page, 'cancelled').waitFor()
    const slider = page.getByRole('slider', { name: 'Time' })
    await slider.press('Home')
    await page.getByText('As it was after event 1 of').waitFor()
    await runStatus(page, 'pending').waitFor()
    expect(await page.getByRole('button', { name: 'Retry' }).count()).toBe(0)
    await slider.press('ArrowRight')
    await runStatus(page, 'waiting').waitFor()
    await page.waitForURL(/[?&]at=2$/)
    await page.reload()
    await page.getByText('As it was after event 2 of').waitFor()
    await page.getByRole('button', { name: 'One event back' }).click()
    await runStatus(page, 'pending').waitFor()
    await page.getByRole('button', { name: 'Now' }).click()
    await runStatus(page, 'cancelled').waitFor()
    await page.getByRole('button', { name: 'Retry' }).waitFor()
    await page.waitForURL((url) => !url.search.includes('at='))
  },
)

journey('who may not act on a run is not offered to', async ({ visit, server }) => {
  const { page } = visit
  const password = 'another long password'
  const job = await server.api.call('submitJob', { body: { title: 'Not yours' } })
  await server.api.call('createUser', { body: { email: 'eve@example.org', password, role: 'operator' } })
  await page.goto(`/runs/${job.run_id}`)
  await page.getByLabel('E-mail').fill('eve@example.org')
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await runStatus(page, 'waiting').waitFor()
  await page.getByRole('link', { name: 'Run again with changes' }).waitFor()
  visit.takeFaults()
  expect(await page.getByRole('button', { name: /^(Cancel|Pause|Retry)$/ }).count()).toBe(0)
  await page.keyboard.press('c')
  expect(await page.getByRole('dialog').count()).toBe(0)
})

async function confirmCancel(page: Page) {
  const question = page.getByRole('dialog', { name: 'Cancel this run?' })
  await question.getByRole('button', { name: 'Cancel the run' }).click()
  await question.waitFor({ state: 'hidden' })
}

type Expected = { jobId: string; runId: string; status: RunStatus }

/** The page, the run and the job tell the same. */
async function expectEverywhere(page: Page, { api }: KyrosServer, { jobId, runId, status }: Expected) {
  await runStatus(page, status).waitFor()
  expect(await page.getByRole('button', { name: 'Cancel', exact: true }).count()).toBe(0)
  expect(await api.call('getRun', { params: { id: runId } })).toMatchObject({ status })
  expect(await api.call('getJob', { params: { id: jobId } })).toMatchObject({ status })
}
