import { readFile } from 'node:fs/promises'
import { expect } from 'vitest'
import { journey } from './journey.ts'
import { admin } from './kyros-server.ts'
import { analysisMs, runStatus } from './run-page.ts'
import { knownFindings, makeFaultyRepository } from './sample-repository.ts'
import { isNobody, signIn } from './watched-page.ts'

journey(
  'a wrong password is said, and the right one leads to the page that was asked for',
  async ({ visit }) => {
    const { page, takeFaults } = visit
    await page.goto('/runs')
    await page.getByLabel('E-mail').fill(admin.email)
    await page.getByLabel('Password', { exact: true }).fill('not the password')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByText('The e-mail address or the password is wrong.').waitFor()
    expect(takeFaults().filter((fault) => !isNobody(fault))).toEqual(['POST /auth/login answered 401'])
    await page.getByLabel('Password', { exact: true }).fill(admin.password)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'Runs', level: 1 }).waitFor()
    expect(new URL(page.url()).pathname).toBe('/runs')
  },
)

journey(
  'a new job is watched to its end without reloading, and its report shows what is wrong where',
  async ({ visit, directory }) => {
    const { page } = visit
    await signIn(visit)
    await page.getByRole('link', { name: 'New job' }).first().click()
    await page.getByRole('textbox', { name: 'Repository' }).fill(makeFaultyRepository(directory))
    await page.getByLabel('Title (optional)').fill('The faulty one')
    await page.getByRole('button', { name: 'Start the job' }).click()
    await page.getByRole('heading', { name: 'The faulty one', level: 1 }).waitFor()
    let loads = 0
    page.on('load', () => {
      loads += 1
    })
    await runStatus(page, 'completed').waitFor({ timeout: analysisMs })
    await page.getByRole('link', { name: 'Open it' }).click()
    await expectScores(visit.page)
    for (const finding of knownFindings) await expectFinding(visit.page, finding)
    expect(loads).toBe(0)
    await expectSarif(visit.page)
  },
)

type Page = Parameters<typeof signIn>[0]['page']

async function expectScores(page: Page) {
  const scores = page.getByRole('region', { name: 'Scores' })
  await scores.waitFor()
  expect(await scores.getByRole('heading').allTextContents()).toEqual([
    'overall',
    'static',
    'security',
    'performance',
  ])
  expect(await scores.innerText()).toMatch(/security\s+\d+(\.\d)?\s*\/100/i)
}

async function expectFinding(page: Page, { file, line, code }: (typeof knownFindings)[number]) {
  const finding = page.getByRole('button', { name: `${file}:${line}` }).first()
  await finding.click()
  const meant = page.locator('.k-snippet__line--meant')
  await meant.filter({ hasText: code }).waitFor()
  expect(await meant.first().innerText()).toMatch(new RegExp(`^\\s*${line}\\s`))
  await finding.click()
}

async function expectSarif(page: Page) {
  const downloading = page.waitForEvent('download')
  await page.getByRole('button', { name: 'SARIF' }).click()
  const download = await downloading
  expect(download.suggestedFilename()).toMatch(/\.sarif/)
  const sarif = JSON.parse(await readFile(await download.path(), 'utf8'))
  expect(sarif.version).toBe('2.1.0')
  const places = sarif.runs.flatMap((run: { results: Result[] }) => run.results).map(placeOf)
  for (const { file, line } of knownFindings) expect(places).toContain(`${file}:${line}`)
}

type Result = {
  locations: { physicalLocation: { artifactLocation: { uri: string }; region: { startLine: number } } }[]
}

function placeOf({ locations }: Result): string {
  const place = locations[0]?.physicalLocation
  return `${place?.artifactLocation.uri}:${place?.region.startLine}`
}
