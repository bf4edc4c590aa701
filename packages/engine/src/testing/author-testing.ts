// What tests of workflows import, as `kyros/testing`.
export { type RecordedHistory, type Replayed, replayHistory } from './replay-history.ts'
export { type FakeSteps, type StartOptions, TestKit, type TestKitOptions } from './test-kit.ts'
export { RunNotCompleted, type TestRun } from './test-run.ts'
