import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { journey } from './journey.ts'
import type { KyrosServer } from './kyros-server.ts'
import { analysisMs, foldedSteps, runStatus, shownSteps, stepIsShown } from './run-page.ts'
import { makeLargeRepository } from './sample-repository.ts'
import { waitFor } from './wait-for.ts'
import { patienceMs, signIn } from './watched-page.ts'

/** What the browser says of a server that is gone: each of these must be over once it is back. */
const outage = /failed: net::ERR_(CONNECTION_|EMPTY_RESPONSE|INCOMPLETE_CHUNKED|SOCKET_NOT_CONNECTED)/

journey(
  'a page that is reloaded in the middle of a run shows what has happened, and goes on live',
  async ({ visit, server, directory }) => {
    const { page } = visit
    const runId = await startLongRun(server, makeLargeRepository(directory, 1_200))
    await signIn(visit, `/runs/${runId}`)
    await stepIsShown(page, 'completed', 'FetchCode')
    await page.reload()
    await stepIsShown(page, 'running', 'RunStaticAnalysis')
    await expectTrue(page, server, runId)
    await runStatus(page, 'completed').waitFor({ timeout: analysisMs })
    await expectTrue(page, server, runId)
    expect(await shownSteps(page)).toHaveLength(5)
  },
)

journey(
  'a page that is open while the server dies says so, recovers by itself and ends true',
  async ({ visit, server, directory }) => {
    const { page, takeFaults } = visit
    const runId = await startLongRun(server, makeLargeRepository(directory, 1_200))
    await signIn(visit, `/runs/${runId}`)
    await stepIsShown(page, 'running', 'RunStaticAnalysis')
    const live = page.getByRole('banner').getByRole('status')
    await live.getByText('Live', { exact: true }).waitFor()
    await server.kill()
    await live.getByText('Offline', { exact: true }).waitFor()
    await page.getByRole('alert').getByText('The server cannot be reached.').waitFor()
    await server.restart()
    await live.getByText('Live', { exact: true }).waitFor()
    expect(takeFaults().filter((fault) => !outage.test(fault))).toEqual([])
    await runStatus(page, 'completed').waitFor({ timeout: analysisMs })
    await expectTrue(page, server, runId)
    const { steps } = await server.api.call('getRun', { params: { id: runId } })
    expect(steps.find(({ name }) => name === 'FetchCode')?.attempts).toHaveLength(1)
    expect(await page.getByRole('alert').count()).toBe(0)
  },
)

async function startLongRun({ api }: KyrosServer, repository: string): Promise<string> {
  const job = await api.call('submitJob', {
    body: { title: 'A long one', workflow: 'code_analysis', input: { repository } },
  })
  return job.run_id
}

/** The timeline and the events of the API tell the same; asked again when a step moved between the two looks. */
async function expectTrue(page: Page, { api }: KyrosServer, runId: string) {
  let last = ''
  await waitFor('the page to show what the events say', patienceMs, async () => {
    const [shown, folded] = [await shownSteps(page), await foldedSteps(api, runId)]
    last = `shown: ${shown.join(', ')}; folded: ${folded.join(', ')}`
    return shown.join() === folded.join() ? true : undefined
  }).catch((error: unknown) => {
    throw new Error(last, { cause: error })
  })
}
