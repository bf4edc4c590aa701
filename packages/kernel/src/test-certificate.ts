// cspell:ignore pkeyopt paramgen addext keyout
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import type { TlsFiles } from './tls.ts'

/** Whether openssl is on this machine; tests that need a certificate are left out without it. */
export function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** A self-signed certificate for localhost and 127.0.0.1 in two files of `directory`, made anew at every call. */
export function makeCertificate(directory: string, name = 'kyros'): TlsFiles {
  const files = { cert: join(directory, `${name}.crt`), key: join(directory, `${name}.key`) }
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-x509', '-days', '2']
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  execFileSync('openssl', ['req', ...kind, ...subject, '-keyout', files.key, '-out', files.cert], {
    stdio: 'ignore',
  })
  return files
}
