import type { RunStatus } from '@kyros/contract/run-status'
import type { Locator, Page } from 'playwright-core'

/** The analyzers alone take seconds to start where two cores are shared. */
export const analysisMs = 60_000

/** The status in the head of a run's page, once it is the wanted one. */
export function runStatus(page: Page, status: RunStatus): Locator {
  return page.getByRole('main').locator('header').getByText(status.replace('_', ' '), { exact: true })
}

/** Steps and their states as the timeline shows them: `completed FetchCode`. */
export async function shownSteps(page: Page): Promise<string[]> {
  const lanes = page.locator('.k-lane')
  await lanes.first().waitFor()
  const texts = await lanes.locator('.k-lane__label').evaluateAll((labels) =>
    labels.map((label) => {
      const [status, name] = [label.querySelector('.k-status'), label.querySelector('.k-lane__name')]
      return `${status?.textContent?.trim()} ${name?.textContent?.trim()}`
    }),
  )
  return texts
}
