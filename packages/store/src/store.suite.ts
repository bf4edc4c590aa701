import { afterEach, beforeEach, describe } from 'vitest'
import type { Store } from './store.ts'
import { testContent } from './suite/content.suite.ts'
import { testEngines } from './suite/engines.suite.ts'
import { testEvents } from './suite/events.suite.ts'
import { testIdempotency } from './suite/idempotency.suite.ts'
import { testJobs } from './suite/jobs.suite.ts'
import { testMany } from './suite/many.suite.ts'
import { testPeople } from './suite/people.suite.ts'
import { testRetention } from './suite/retention.suite.ts'
import type { StoreCase } from './suite/rig.ts'
import { testRuns } from './suite/runs.suite.ts'
import { testStreams } from './suite/streams.suite.ts'
import { testViews } from './suite/views.suite.ts'

/** What every implementation of the port does. Each test gets an empty store. */
export function testStore({ name, open, close }: StoreCase): void {
  describe(name, () => {
    let opened: Store | undefined
    const store = (): Store => {
      if (!opened) throw new Error('The store is opened before each test')
      return opened
    }
    beforeEach(async () => {
      opened = await open()
    })
    afterEach(async () => {
      await close(store())
    })

    describe('jobs', () => testJobs(store))
    describe('runs', () => testRuns(store))
    describe('events', () => testEvents(store))
    describe('engines', () => testEngines(store))
    describe('many runs', () => testMany(store))
    describe('idempotency', () => testIdempotency(store))
    describe('people', () => testPeople(store))
    describe('views', () => testViews(store))
    describe('retention', () => testRetention(store))
    describe('content', () => testContent(store))
    describe('streams', () => testStreams(store))
  })
}
