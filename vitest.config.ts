import { defineConfig } from 'vitest/config'
import { LongFirst } from './tools/long-first.ts'

const workspaces = '{packages,services,cli,console,tools,test,bench}'
const integration = [`${workspaces}/**/*.pg.test.ts`, `${workspaces}/**/*.integration.test.ts`]
const temporal = [`${workspaces}/**/*.temporal.test.ts`]
const exclude = ['**/node_modules/**', '**/dist/**', '**/fixtures/**']

export default defineConfig({
  test: {
    pool: 'forks',
    // Vitest itself leaves one core unused, which is half of a small machine; many tests wait for a disk or a child.
    maxWorkers: '100%',
    sequence: { sequencer: LongFirst },
    testTimeout: 20_000,
    hookTimeout: 60_000,
    reporters: ['default', './tools/count-reporter.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: [`${workspaces}/**/*.test.{ts,tsx}`],
          exclude: [...exclude, ...integration, ...temporal],
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: integration,
          exclude,
          testTimeout: 30_000,
          globalSetup: ['./tools/test-postgres.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'temporal',
          include: temporal,
          exclude,
          testTimeout: 60_000,
          globalSetup: ['./tools/test-postgres.ts', './tools/test-temporal.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.e2e.ts'],
          exclude,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
    coverage: {
      // Counts what runs in the processes and threads that tests start as well.
      provider: 'custom',
      customProviderModule: './tools/coverage.ts',
      reporter: ['text', 'html'],
      reportsDirectory: 'coverage',
      reportOnFailure: true,
      // Not the console's components (.tsx): the journeys in a browser judge them, and those are not measured.
      include: ['{packages,services,cli}/**/src/**/*.ts', 'console/src/**/*.ts'],
      exclude: [
        '**/*.test.ts',
        '**/*.{suite,testsuite}.ts',
        '**/testing/**',
        '**/fixtures/**',
        '**/*.e2e.ts',
        // What runs in a cluster's sandbox is bundled first: the tests on a cluster run it, and no counter sees it there.
        'packages/engine/src/temporal/{adapter-*,workflow-adapter,*-interceptors}.ts',
      ],
      thresholds: {
        lines: 80,
        'packages/store/src/**': { lines: 90 },
        'packages/engine/src/**': { lines: 90 },
      },
    },
  },
})
