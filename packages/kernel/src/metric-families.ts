import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export type Family = {
  readonly name: string
  readonly help: string
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly labels: readonly string[]
}

/** A counter grows by the value, a histogram takes it, a gauge is set to it. */
export type Reading = {
  readonly name: string
  readonly value: number
  readonly labels: Readonly<Record<string, string>>
}

// 1 ms to a minute: what is measured here takes from less than a request to longer than one.
const buckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
/** Labels are meant to have few values; what comes beyond is left out. */
const maxSeries = 500

type Kept = { family: Family; take(labels: Reading['labels'], value: number): void; series: Set<string> }

/**
 * Metrics that are measured elsewhere. `read` is called whenever they are shown, and by whoever calls what this returns:
 * it gives what was measured since it was last called.
 */
export function addFamilies(
  registry: Registry,
  { prefix, families, read }: { prefix: string; families: readonly Family[]; read: () => Iterable<Reading> },
): () => void {
  const kept = new Map<string, Kept>()
  const refresh = () => {
    for (const { name, value, labels } of read()) {
      const known = kept.get(name)
      if (known !== undefined && isRoomFor(known, labels)) known.take(labels, value)
    }
  }
  for (const family of families)
    kept.set(family.name, {
      family,
      series: new Set(),
      take: takerOf(registry, `${prefix}_${family.name}`, family, refresh),
    })
  return refresh
}

function isRoomFor({ family, series }: Kept, labels: Reading['labels']): boolean {
  const key = family.labels.map((label) => labels[label]).join('\n')
  if (series.has(key)) return true
  if (series.size >= maxSeries) return false
  series.add(key)
  return true
}

function takerOf(
  registry: Registry,
  name: string,
  { help, kind, labels }: Family,
  collect: () => void,
): Kept['take'] {
  const options = { name, help, labelNames: [...labels], registers: [registry], collect }
  switch (kind) {
    case 'counter': {
      const counter = new Counter(options)
      return (given, value) => counter.inc({ ...given }, value)
    }
    case 'gauge': {
      const gauge = new Gauge(options)
      return (given, value) => gauge.set({ ...given }, value)
    }
    case 'histogram': {
      const histogram = new Histogram({ ...options, buckets })
      return (given, value) => histogram.observe({ ...given }, value)
    }
  }
}
