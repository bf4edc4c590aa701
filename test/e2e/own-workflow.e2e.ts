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
