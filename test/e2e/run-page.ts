import type { Client } from '@kyros/client/client'
import { isRunEvent } from '@kyros/contract/event'
import type { Run } from '@kyros/contract/run'
import { applyEvent, emptyRunState } from '@kyros/contract/run-state'
import type { RunStatus } from '@kyros/contract/run-status'
import type { Locator, Page } from 'playwright-core'
import { waitFor } from './wait-for.ts'
import { patienceMs } from './watched-page.ts'

/** The analyzers alone take seconds to start where two cores are shared. */
export const analysisMs = 60_000

const maxEvents = 200

/** The status in the head of a run's page, once it is the wanted one. */
export function runStatus(page: Page, status: RunStatus): Locator {
  return page.getByRole('main').locator('header dl').getByText(status.replace('_', ' '), { exact: true })
}

/** Steps and their states as the timeline shows them: `completed FetchCode`. */
export async function shownSteps(page: Page): Promise<string[]> {
  const texts = await page
    .locator('.k-lane')
    .getByText(/^[a-z]+$|^[A-Z][A-Za-z]+$/)
    .allTextContents()
  return texts.flatMap((status, index) => (index % 2 === 0 ? [`${status} ${texts[index + 1]}`] : []))
}

/** The same, folded from the events that the API lists. */
export async function foldedSteps(api: Client, runId: string): Promise<string[]> {
  const params = { id: runId }
  const run = await api.call('getRun', { params })
  const { events } = await api.call('listRunEvents', { params, query: { limit: maxEvents } })
  let folded: Run = { ...run, ...emptyRunState, steps: [] }
  for (const event of events) if (isRunEvent(event)) folded = applyEvent(folded, event)
  return folded.steps.map(({ status, name }) => `${status} ${name}`)
}

/** Waits until the timeline shows a step in a state. */
export async function stepIsShown(page: Page, status: string, name: string): Promise<void> {
  await waitFor(`the step ${name} to be shown as ${status}`, patienceMs, async () => {
    const steps = await shownSteps(page)
    return steps.includes(`${status} ${name}`) ? true : undefined
  })
}
