import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export type Metrics = {
  readonly registry: Registry
  /** Counts one answered request. `route` is a template of the route table, never a path with ids. */
  observeRequest(method: string, route: string, status: number, seconds: number): void
  /** A run started, or ended with `status` after `seconds`. */
  runStarted(workflow: string): void
  runEnded(workflow: string, status: string, seconds: number): void
  /** Prometheus text. */
  text(): Promise<string>
}

// 5 ms to 10 s; one set for all histograms, so that they can be compared.
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const runBuckets = [0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600]

/** The metrics of a process, with the names that the documents give beside our own. */
export function createMetrics(build: { version: string }): Metrics {
  const registers = [new Registry()]
  const [registry = new Registry()] = registers
  collectDefaultMetrics({ register: registry })
  new Gauge({ name: 'kyros_build_info', help: 'The build', labelNames: ['version', 'node'], registers })
    .labels(build.version, process.version)
    .set(1)
  const observers = requestObservers(registers)
  const runs = runMetrics(registers)
  return { registry, text: () => registry.metrics(), ...runs, observeRequest: observers }
}

function requestObservers(registers: Registry[]): Metrics['observeRequest'] {
  const labelNames = ['route', 'method', 'status']
  const requests = new Counter({
    name: 'kyros_http_requests_total',
    help: 'Requests answered',
    labelNames,
    registers,
  })
  const durations = new Histogram({
    name: 'kyros_http_request_duration_seconds',
    help: 'Time to answer',
    labelNames: ['route', 'method'],
    buckets,
    registers,
  })
  const older = new Counter({
    name: 'orchestrator_api_requests_total',
    help: 'Requests answered (the older name)',
    labelNames: ['method', 'endpoint', 'status'],
    registers,
  })
  const olderDurations = new Histogram({
    name: 'orchestrator_api_request_duration_seconds',
    help: 'Time to answer (the older name)',
    labelNames: ['method', 'endpoint'],
    buckets,
    registers,
  })
  // prom-client hashes the labels on every call; a series looked up once is kept.
  const known = new Map<string, (seconds: number) => void>()
  return (method, route, status, seconds) => {
    const key = `${method} ${route} ${status}`
    let observe = known.get(key)
    if (!observe) {
      const series = [
        requests.labels(route, method, String(status)),
        older.labels(method, route, String(status)),
      ]
      const timers = [durations.labels(route, method), olderDurations.labels(method, route)]
      observe = (value) => {
        for (const counter of series) counter.inc()
        for (const timer of timers) timer.observe(value)
      }
      known.set(key, observe)
    }
    observe(seconds)
  }
}

function runMetrics(registers: Registry[]): Pick<Metrics, 'runStarted' | 'runEnded'> {
  const total = new Counter({
    name: 'orchestrator_workflows_total',
    help: 'Runs ended',
    labelNames: ['workflow', 'status'],
    registers,
  })
  const durations = new Histogram({
    name: 'orchestrator_workflows_duration_seconds',
    help: 'Time from the start of a run to its end',
    labelNames: ['workflow'],
    buckets: runBuckets,
    registers,
  })
  const active = new Gauge({
    name: 'orchestrator_workflows_active',
    help: 'Runs that have not ended',
    labelNames: ['workflow'],
    registers,
  })
  return {
    runStarted: (workflow) => active.labels(workflow).inc(),
    runEnded: (workflow, status, seconds) => {
      active.labels(workflow).dec()
      total.labels(workflow, status).inc()
      durations.labels(workflow).observe(seconds)
    },
  }
}
