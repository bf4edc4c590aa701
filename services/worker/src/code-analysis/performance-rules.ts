import type { RuleBook } from './finding.ts'

export const performanceRules = {
  'performance/sync-io-in-async': {
    severity: 'medium',
    title: 'Blocking I/O inside an async function',
    hint: 'Use the asynchronous form (fs/promises, execFile with await); a blocking call stops every other request of the process.',
  },
  'performance/query-in-loop': {
    severity: 'medium',
    title: 'A query or request for each element of a loop',
    hint: 'Ask once for all of them (WHERE id IN (…), a join, a batch call), or run a bounded number at the same time.',
  },
  'performance/async-in-foreach': {
    severity: 'medium',
    title: 'forEach does not wait for async functions',
    hint: 'Use for…of with await, or await Promise.all(items.map(…)): forEach drops the promises and their errors.',
  },
  'performance/unbounded-growth': {
    severity: 'low',
    title: 'A collection that only grows',
    hint: 'Give it a limit or an expiry (an LRU cache, delete after use), or make it local to what needs it.',
  },
  'performance/regex-backtracking': {
    severity: 'medium',
    title: 'A regular expression that can take exponential time',
    hint: 'Make sure that a repeated part cannot match the same text in two ways, or limit the length of the input first.',
  },
  'performance/quadratic-copy': {
    severity: 'low',
    title: 'A copy of the whole collection in every round',
    hint: 'Push into one array or assign into one object; copying makes the loop quadratic.',
  },
  'performance/json-clone': {
    severity: 'info',
    title: 'A copy by way of JSON',
    hint: 'structuredClone is faster and keeps dates, maps and undefined.',
  },
  'performance/compile-in-loop': {
    severity: 'low',
    title: 'The same pattern is compiled again and again',
    hint: 'Compile it once outside the loop or function.',
  },
  'performance/blocking-in-async': {
    severity: 'medium',
    title: 'A blocking call inside an async function',
    hint: 'Use the asynchronous form (asyncio.sleep, httpx or aiohttp, asyncio.to_thread); the call stops the whole event loop.',
  },
  'performance/defer-in-loop': {
    severity: 'low',
    title: 'defer inside a loop',
    hint: 'What is deferred runs only when the function returns. Move the body into a function, or release at the end of each round.',
  },
  'performance/timer-in-loop': {
    severity: 'low',
    title: 'time.After inside a loop',
    hint: 'Each call makes a new timer. Make one with time.NewTimer and reset it.',
  },
  'performance/row-iteration': {
    severity: 'low',
    title: 'Rows of a data frame one by one',
    hint: 'Use vector operations, or itertuples when a loop is unavoidable.',
  },
  'performance/string-in-loop': {
    severity: 'low',
    title: 'A text grows by + in a loop',
    hint: 'Use StringBuilder (or strings.Builder): every + copies the whole text.',
  },
  'performance/large-asset': {
    severity: 'low',
    title: 'A large file in the repository',
    hint: 'Compress or resize it, serve it from elsewhere, or use Git LFS: every clone and image carries it.',
  },
  'performance/heavy-dependency': {
    severity: 'low',
    title: 'A heavy dependency in browser code',
    hint: "Import the single function, or take a smaller package or the platform's own feature.",
  },
  'performance/many-dependencies': {
    severity: 'low',
    title: 'Very many direct dependencies',
    hint: 'Each one costs install time, start time and updates; drop what a few lines or the platform can do.',
  },
} as const satisfies RuleBook
