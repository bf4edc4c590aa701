import { expect, test } from 'vitest'
import { callNameOf, withCallName } from './call-name.ts'

test.each([
  ['/usr/bin/kyros', '/home/me', false, 'kyros'],
  ['/src/kyros/cli/bin/kyros.js', '/src/kyros', true, 'npm run -s kyros --'],
  ['/src/kyros/cli/bin/kyros.js', '/src/kyros', false, 'node cli/bin/kyros.js'],
  ['/src/kyros/cli/bin/kyros.js', '/home/me', false, 'node /src/kyros/cli/bin/kyros.js'],
])('%s started in %s (npm: %s) is called again by %s', (script, directory, isFromNpm, expected) => {
  expect(callNameOf({ script, directory, isFromNpm })).toBe(expected)
})

test('the commands in a line get the name that works here', () => {
  expect(withCallName('See `kyros --help` of kyros.', 'node x.js')).toBe('See `node x.js --help` of kyros.')
})
