import { readFileSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { request } from 'node:https'
import { hasOpenssl, makeCertificate } from '@kyros/kernel/test-certificate'
import { describe, expect, test } from 'vitest'
import { kyros, spawnKyros, temporaryDirectory } from '../testing/spawn-kyros.ts'

const words = ['up', '--port', '0', '--no-welcome'] as const
const admin = { KYROS_ADMIN_EMAIL: 'ada@example.com', KYROS_ADMIN_PASSWORD: 'correct horse battery' }

type Answer = { status: number | undefined; headers: IncomingHttpHeaders }

function login(url: string, ca: string): Promise<Answer> {
  const body = JSON.stringify({ username: admin.KYROS_ADMIN_EMAIL, password: admin.KYROS_ADMIN_PASSWORD })
  const headers = { 'content-type': 'application/json', origin: url, 'sec-fetch-site': 'same-origin' }
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/auth/login`, { method: 'POST', headers, ca }, (answer) => {
      answer.resume()
      resolve({ status: answer.statusCode, headers: answer.headers })
    })
    sent.on('error', reject).end(body)
  })
}

// Certificates are made by openssl: without it there is nothing to serve with.
describe.skipIf(!hasOpenssl())('server.tls', () => {
  test('serves https with secure cookies, and commands on this machine trust it', async () => {
    const data = temporaryDirectory()
    const { cert, key } = makeCertificate(temporaryDirectory())
    const env = { ...admin, KYROS_SERVER_TLS_CERT: cert, KYROS_SERVER_TLS_KEY: key }
    const server = spawnKyros([...words, '--data', data], { env })
    const [, url = ''] = await server.saw(/^Kyros is ready on (https:\/\/127\.0\.0\.1:\d+)$/m)
    const { status, headers } = await login(url, readFileSync(cert, 'utf8'))
    expect(status).toBe(200)
    expect(headers['strict-transport-security']).toContain('max-age=')
    expect(headers['set-cookie']).toEqual([
      expect.stringMatching(/^__Host-kyros_session=.*; Secure$/),
      expect.stringMatching(/^__Secure-kyros_refresh=.*; Secure$/),
    ])
    const listed = await kyros(['jobs', 'list', '--data', data, '--json'])
    expect([listed.code, listed.lines]).toEqual([0, ['']])
    expect(server.errors()).not.toContain('not read yet')
  })

  test.each([
    ['CERT', 'KEY'],
    ['KEY', 'CERT'],
  ])('%s alone does not start, and the line names the other', async (set, missing) => {
    const env = { [`KYROS_SERVER_TLS_${set}`]: '/nowhere' }
    const { code, lines, output } = await kyros([...words, '--data', temporaryDirectory()], { env })
    expect(code).toBe(1)
    expect(output).not.toContain('password')
    expect(lines.join('\n')).toContain(`Set KYROS_SERVER_TLS_${missing} too`)
  })

  test('a file that is not there stops the start before anything is made', async () => {
    const env = { KYROS_SERVER_TLS_CERT: '/nowhere.crt', KYROS_SERVER_TLS_KEY: '/nowhere.key' }
    const { code, lines } = await kyros([...words, '--data', temporaryDirectory()], { env })
    expect([code, lines[0]]).toEqual([1, 'There is no file /nowhere.crt.'])
  })
})

describe('server.public_url', () => {
  test('with https makes cookies secure behind a proxy that ends TLS', async () => {
    const env = { ...admin, KYROS_SERVER_PUBLIC_URL: 'https://kyros.example.com' }
    const server = spawnKyros([...words, '--data', temporaryDirectory()], { env })
    const url = await server.ready()
    const answer = await fetch(`${url}/auth/login`, {
      method: 'POST',
      headers: { origin: url },
      body: new URLSearchParams({ username: admin.KYROS_ADMIN_EMAIL, password: admin.KYROS_ADMIN_PASSWORD }),
    })
    expect(answer.headers.get('set-cookie')).toMatch(/^__Host-kyros_session=.*; Secure/)
    expect(answer.headers.get('strict-transport-security')).toContain('max-age=')
  })
})
