import type { FastifyRequest } from 'fastify'

/**
 * The key of a client without credentials. An IPv6 client owns a whole /64, so its addresses count as one.
 */
export function clientAddress(request: FastifyRequest): string {
  const { ip } = request
  if (!ip.includes(':') || ip.includes('.')) return ip.replace(/^::ffff:/, '')
  const [head = '', tail] = ip.split('::')
  const groups = head === '' ? [] : head.split(':')
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length)
  const network = [...groups, ...Array<string>(missing).fill('0'), ...(tail ?? '').split(':')].slice(0, 4)
  return `${network.join(':')}::/64`
}
