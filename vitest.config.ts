import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{packages,services,cli,console,tools,test}/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/fixtures/**'],
    pool: 'forks',
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
})
