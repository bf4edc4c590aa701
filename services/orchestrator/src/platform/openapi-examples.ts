type Examples = { readonly [name: string]: { readonly summary?: string; readonly value: unknown } }

/** Bodies to begin with, by operation; a test checks them against the schemas. */
export const bodyExamples: { readonly [operationId: string]: Examples | undefined } = {
  submitJob: {
    workflow: {
      summary: 'Analyse a repository',
      value: { workflow: 'code_analysis', input: { repository: 'https://example.org/team/app.git' } },
    },
    task: { summary: 'A task in words', value: { title: 'Tidy the README', task: 'Correct the links.' } },
  },
  startRun: {
    run: {
      value: {
        name: 'Nightly analysis',
        type: 'code_analysis',
        input: { repository: '/srv/repositories/app' },
        priority: 'low',
      },
    },
  },
  bulkRuns: { cancel: { value: { action: 'cancel', ids: ['01932f5c-7d1e-7b6a-9c55-0d6f0f6f3a10'] } } },
  createView: { failed: { value: { list: 'runs', name: 'Failed today', query: 'status:failed since:24h' } } },
  cancelJob: { reason: { value: { reason: 'No longer needed' } } },
  cancelRun: { reason: { value: { reason: 'No longer needed' } } },
  setJobStatus: { cancelled: { value: { status: 'cancelled' } } },
  signalRun: { any: { summary: 'Any JSON', value: { approved: true } } },
  queryRun: { any: { summary: 'Any JSON, or nothing', value: { since: 10 } } },
  updateRun: { any: { summary: 'Any JSON', value: 5 } },
  forkRun: {
    job: { summary: 'As the next run of the job', value: { from_step: 'GenerateReport' } },
    own: { summary: 'As a job of its own', value: { from_step: 'GenerateReport', new_job: true } },
  },
  setRunBudget: { limits: { value: { time_ms: 600_000, tokens: 200_000, cost_usd: 2.5 } } },
  upgradeRun: { newest: { summary: 'To the newest definition', value: {} } },
  answerWaitpoint: { any: { summary: 'Any JSON', value: { ok: true } } },
  completeWaitpoint: { any: { summary: 'Any JSON', value: { ok: true } } },
  archiveJobs: { quarter: { value: { older_than_days: 90 } } },
  emitEvent: {
    current: { value: { type: 'app.deployed', payload: { version: '1.2.3' } } },
    older: { value: { event: 'app.deployed', target: 'apps/shop', details: { version: '1.2.3' } } },
  },
  login: { login: { value: { username: 'admin@localhost', password: 'correct horse battery staple' } } },
  createUser: {
    user: {
      value: { email: 'ada@example.org', password: 'correct horse battery staple', role: 'operator' },
    },
  },
  createApiKey: { key: { value: { name: 'ci', role: 'operator' } } },
  submitOlderJob: { job: { value: { agent_id: 'test', task: 'test' } } },
  emitOlderEvent: { event: { value: { type: 'app.deployed', payload: { version: '1.2.3' } } } },
}
