import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createApp } from './http-app.ts'
import { serve } from './serve.ts'
import { recordingLog } from './test-app.ts'
import { hasOpenssl, makeCertificate } from './test-certificate.ts'
import { readTls, watchTls } from './tls.ts'

function directory(): string {
  const made = mkdtempSync(join(tmpdir(), 'kyros-tls-'))
  onTestFinished(() => rmSync(made, { recursive: true, force: true }))
  return made
}

function get200(url: string, ca: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(url, { ca }, (answer) => resolve(answer.resume().statusCode)).on('error', reject)
  })
}

function subjectAt(port: number, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', ca, rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN))
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

// Certificates are made by openssl: without it there is nothing to serve with.
describe.skipIf(!hasOpenssl())('TLS', () => {
  test('serves https, and a certificate that was renewed counts without a restart', async () => {
    const place = directory()
    const files = makeCertificate(place)
    const { log } = recordingLog()
    const serving = await serve({
      services: [],
      app: createApp(),
      host: '127.0.0.1',
      port: 0,
      log,
      tls: files,
    })
    onTestFinished(() => serving.stop('test'))
    expect(serving.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
    expect(await get200(`${serving.url}/nothing`, readTls(files).cert)).toBe(404)
    expect(await subjectAt(serving.port, readTls(files).cert)).toBe('kyros')
    const renewed = makeCertificate(place, 'renewed')
    copyFileSync(renewed.key, files.key)
    copyFileSync(renewed.cert, files.cert)
    const subject = () => subjectAt(serving.port, readTls(files).cert)
    await expect.poll(subject, { timeout: 12_000, interval: 500 }).toBe('renewed')
  })

  test('a changed file that cannot be used is reported and keeps the old certificate', async () => {
    const files = makeCertificate(directory())
    const { log, lines } = recordingLog()
    const used: unknown[] = []
    const unwatch = watchTls(files, log, (pair) => used.push(pair), 20)
    onTestFinished(unwatch)
    await new Promise((resolve) => setTimeout(resolve, 100))
    writeFileSync(files.cert, 'half a file')
    await expect
      .poll(() => lines.map(({ reason }) => reason))
      .toContainEqual(
        `${files.cert} holds no certificate. Name a PEM file, its own certificate first, in server.tls.cert.`,
      )
    expect(used).toEqual([])
  })

  test('files that cannot be used stop the start with a line that says which and why', () => {
    const place = directory()
    const [files, other] = [makeCertificate(place), makeCertificate(place, 'other')]
    const failure = (pair: typeof files) => {
      try {
        return String(readTls(pair).cert)
      } catch (error) {
        return error instanceof Error ? error.message : ''
      }
    }
    expect(failure({ ...files, cert: join(place, 'none') })).toMatch(
      /^There is no file .*none\. Mend server\.tls\.cert/,
    )
    expect(failure({ ...files, key: files.cert })).toMatch(/kyros\.crt holds no private key\./)
    expect(failure({ ...files, key: other.key })).toMatch(/other\.key is not the key of .*kyros\.crt\./)
  })
})
