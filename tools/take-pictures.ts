// Takes the pictures of the README from a real server: node tools/take-pictures.ts <a clone of this repository>.
// The clone's path is seen in some of them, so it should be a plain one such as /srv/kyros.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Client } from '@kyros/client/client'
import type { Page } from 'playwright-core'
import { startKyros } from '../test/e2e/kyros-server.ts'
import { launchBrowser } from '../test/e2e/launch-browser.ts'
import { analysisMs, runStatus, stepIsShown } from '../test/e2e/run-page.ts'
import { waitFor } from '../test/e2e/wait-for.ts'
import { openPage, signIn } from '../test/e2e/watched-page.ts'

const images = fileURLToPath(new URL('../docs/images', import.meta.url))
const folders = [
  'packages/contract',
  'packages/engine',
  'packages/store',
  'services/worker',
  'console',
  'cli',
]

async function analyse(api: Client, title: string, input: { repository: string; path?: string }) {
  const { run_id } = await api.call('submitJob', { body: { title, workflow: 'code_analysis', input } })
  return run_id
}

function ended(api: Client, id: string) {
  return waitFor('an analysis to end', analysisMs, async () => {
    return (await api.call('getRun', { params: { id } })).completed_at ?? undefined
  })
}

async function takeAll(page: Page, api: Client, repository: string) {
  const take = (name: string) => page.screenshot({ path: join(images, `${name}.png`) })
  const failing = await analyse(api, 'Analysis of docs/manual', { repository, path: 'docs/manual' })
  await ended(api, failing)
  for (const path of folders)
    await ended(api, await analyse(api, `Analysis of ${path}`, { repository, path }))
  const whole = await analyse(api, 'Analysis of kyros', { repository })
  await page.goto(`/runs/${whole}`)
  await stepIsShown(page, 'running', 'RunStaticAnalysis')
  await stepIsShown(page, 'completed', 'RunPerformanceAnalysis')
  await take('run')
  await page.goto('/')
  await page.getByText('is healthy').waitFor()
  await page.getByRole('button', { name: 'Do not show this again' }).click()
  await take('home')
  await page.goto(`/runs/${whole}`)
  await runStatus(page, 'completed').waitFor({ timeout: analysisMs })
  await page.goto(`/runs/${whole}?tab=report`)
  await page.getByRole('button', { name: /:\d+$/ }).first().click()
  await take('report')
}

async function main(repository: string | undefined) {
  if (repository === undefined) throw new Error('Name a clone of this repository, such as /srv/kyros')
  mkdirSync(images, { recursive: true })
  const server = await startKyros()
  try {
    const browser = await launchBrowser()
    try {
      const visit = await openPage(browser, server.origin, { colorScheme: 'light' })
      await signIn(visit)
      await takeAll(visit.page, server.api, repository)
    } finally {
      await browser.close()
    }
  } finally {
    await server.remove()
  }
}

await main(process.argv[2])
