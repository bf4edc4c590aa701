import { type Browser, chromium } from 'playwright-core'
import { findChromium } from '../../tools/find-chromium.js'
import { patienceMs } from './watched-page.ts'

/** Starts the machine's Chromium; it ends with this process at the latest. */
export function launchBrowser(): Promise<Browser> {
  const executablePath = findChromium()
  if (executablePath === undefined)
    throw new Error('No Chromium: apt-get install chromium, or set KYROS_TEST_CHROMIUM=/path/to/chromium')
  // In containers the sandbox has no user namespace and /dev/shm is small; all pages are our own.
  const args = ['--no-sandbox', '--disable-dev-shm-usage']
  return chromium.launch({ executablePath, args, timeout: 2 * patienceMs })
}
