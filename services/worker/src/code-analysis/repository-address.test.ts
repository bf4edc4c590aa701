import { expect, test } from 'vitest'
import { parseRepositoryAddress } from './repository-address.ts'

test.each([
  ['/srv/code/../project', { kind: 'local', path: '/srv/project' }],
  ['https://example.org/a/b.git', { kind: 'remote', protocol: 'https', url: 'https://example.org/a/b.git' }],
  ['ssh://git@example.org/a.git', { kind: 'remote', protocol: 'ssh', url: 'ssh://git@example.org/a.git' }],
  ['git@example.org:a/b.git', { kind: 'remote', protocol: 'ssh', url: 'git@example.org:a/b.git' }],
])('%s is an address', (repository, expected) => {
  expect(parseRepositoryAddress(repository)).toEqual(expected)
})

test.each([
  'ext::sh -c "touch x"',
  'file:///etc',
  'git://example.org/a.git',
  'http://example.org/a.git',
  'fd::17',
  '--upload-pack=touch x',
  '-oProxyCommand=touch x@example.org:a',
  'git@-oProxyCommand=x:a',
  'git@example.org:-x',
  'ssh://-oProxyCommand=x/a',
  'https://name:password@example.org/a.git',
  'https://token@example.org/a.git',
  'example.org:a.git',
  'relative/path',
  'https://example.org/a\nb',
  ' ',
])('%j is refused', (repository) => {
  expect(() => parseRepositoryAddress(repository)).toThrow(
    expect.objectContaining({ code: 'repository_not_allowed' }),
  )
})
