import { expect } from 'vitest'
import { journey } from './journey.ts'
import { runStatus } from './run-page.ts'
import { patienceMs, signIn } from './watched-page.ts'

journey('a filter is kept under a name, found again after a reload, and deleted', async ({ visit }) => {
  const { page } = visit
  await signIn(visit, '/runs?q=status:failed')
  await page.getByRole('button', { name: 'Save this view' }).click()
  await page.getByLabel('Name').fill('What broke')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.goto('/runs')
  await page.getByRole('button', { name: 'What broke' }).click()
  await page.waitForURL(({ searchParams }) => searchParams.get('q') === 'status:failed')
  await page.getByRole('button', { name: 'Delete this view' }).click()
  await page.getByRole('button', { name: 'Delete the view' }).click()
  await page.getByRole('button', { name: 'What broke' }).waitFor({ state: 'detached' })
})

journey('jobs are chosen and cancelled together', async ({ visit, server }) => {
  const { page } = visit
  for (const title of ['One', 'Two', 'Three']) await server.api.call('submitJob', { body: { title } })
  await signIn(visit, '/jobs')
  for (const title of ['One', 'Three']) await page.getByLabel(`Select ${title}`).check({ force: true })
  await page.getByRole('button', { name: 'Cancel 2' }).click()
  await page.getByRole('button', { name: 'Cancel 2 jobs' }).click()
  await page.getByText('2 jobs cancelled').waitFor()
  await expect
    .poll(async () => (await server.api.call('listJobs', { query: { status: 'cancelled' } })).total, {
      timeout: patienceMs,
    })
    .toBe(2)
})

journey('a new job begins with what an earlier one was asked for', async ({ visit, server }) => {
  const { page } = visit
  const input = { repository: '/nowhere/at/all' }
  const job = await server.api.call('submitJob', {
    body: { title: 'Look at it', workflow: 'code_analysis', input },
  })
  await signIn(visit, `/jobs/${job.id}`)
  await runStatus(page, 'failed').waitFor()
  await page.getByRole('link', { name: 'Run again with changes' }).click()
  const repository = page.getByRole('textbox', { name: 'Repository' })
  await repository.waitFor()
  expect(await repository.inputValue()).toBe(input.repository)
  expect(await page.getByLabel('Title (optional)').inputValue()).toBe('Look at it')
})
