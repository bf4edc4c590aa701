import { getCACertificates, setDefaultCACertificates } from 'node:tls'

/** Makes this process trust a certificate (PEM) besides those that it trusts anyway. */
export function trustCertificate(certificate: string): void {
  setDefaultCACertificates([...getCACertificates('default'), certificate])
}
