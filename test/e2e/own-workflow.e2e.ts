// biome-ignore-all lint/correctness/noEmptyPattern: vitest reads from the pattern what a fixture needs.
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { journey } from './journey.ts'
import { startKyros } from './kyros-server.ts'
import { runStatus } from './run-page.ts'
import { signIn } from './watched-page.ts'

const workflows = fileURLToPath(new URL('../../examples/release-note/workflows', import.meta.url))

const withWorkflows = journey.extend('server', { scope: 'file' }, async ({}, { onCleanup }) => {
  const server = await startKyros({ KYROS_WORKFLOWS_DIR: workflows })
  onCleanup(() => server.remove())
  return server
})

withWorkflows(
  'a workflow of a user is started from the form that its schema makes',
  async ({ visit, server }) => {
    const { page } = visit
    await signIn(visit, '/jobs/new')
    await page.getByRole('radio', { name: /Release note/ }).check()
    await page.getByRole('textbox', { name: 'Product' }).fill('Kyros')
    await page.getByRole('textbox', { name: 'Version' }).fill('one')
    await page.getByRole('textbox', { name: 'Changes' }).fill('Workflows of your own\nA second one')
    await page.getByRole('button', { name: 'Start the job' }).click()
    // The pattern of the schema is held before anything is sent.
    expect(new URL(page.url()).pathname).toBe('/jobs/new')
    await page.getByRole('textbox', { name: 'Version' }).fill('1.2.0')
    await page.getByRole('button', { name: 'Start the job' }).click()
    await runStatus(page, 'waiting').waitFor()
    const runId = new URL(page.url()).pathname.split('/').at(-1) ?? ''
    await server.api.call('signalRun', { params: { id: runId, name: 'review' }, body: 'approved' })
    await runStatus(page, 'completed').waitFor()
    const run = await server.api.call('getRun', { params: { id: runId } })
    expect(run.input).toEqual({
      product: 'Kyros',
      version: '1.2.0',
      changes: ['Workflows of your own', 'A second one'],
    })
    expect(run.result).toEqual({ published: true, file: 'release-note.md' })
  },
)

withWorkflows(
  'a run is paused, resumed, told to go on and run again from a step on its page',
  async ({ visit, server }) => {
    const { page } = visit
    const input = { product: 'Kyros', version: '1.2.0', changes: ['Runs that can be held'] }
    const job = await server.api.call('submitJob', { body: { workflow: 'release_note', input } })
    await signIn(visit, `/runs/${job.run_id}`)
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.getByText('Waiting: paused').waitFor()
    await page.getByRole('button', { name: 'Resume' }).click()
    await page.getByText('Waiting: signal').waitFor()
    await page.getByRole('button', { name: /^Send / }).click()
    const dialog = page.getByRole('dialog')
    const name = dialog.getByRole('textbox', { name: 'Name of the signal' })
    // A run that has left the memory of the engine does not say what it listens for.
    if ((await name.count()) > 0) await name.fill('review')
    const says = dialog.getByRole('textbox', { name: 'What it says' })
    await says.fill('approved')
    await dialog.getByText('This is not JSON').waitFor()
    await says.fill('"approved"')
    await dialog.getByRole('button', { name: 'Send it' }).click()
    await runStatus(page, 'completed').waitFor()
    await page.getByRole('button', { name: /PublishNote/ }).click()
    await page.getByRole('button', { name: 'Run again from here' }).click()
    await page.getByRole('button', { name: 'Start the new run' }).click()
    await page.getByText('Took over what came before PublishNote').waitFor()
    await runStatus(page, 'completed').waitFor()
    expect(await server.api.call('getJob', { params: { id: job.id } })).toMatchObject({
      attempt: 2,
      status: 'completed',
    })
  },
)
