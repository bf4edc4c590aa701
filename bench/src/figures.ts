/** One measured quantity: the median of its rounds, with the smallest and the largest beside it. */
export type Figure = {
  name: string
  value: number
  unit: string
  spread: [number, number]
  /** What was run (rounds, seconds, connections), or by which factor a count was reduced. */
  scale: string | number
}

export function figure(
  name: string,
  values: readonly number[],
  unit: string,
  scale: string | number,
): Figure {
  const sorted = [...values].sort((a, b) => a - b)
  return {
    name,
    value: round(median(sorted)),
    unit,
    spread: [round(sorted.at(0) ?? Number.NaN), round(sorted.at(-1) ?? Number.NaN)],
    scale,
  }
}

export function median(sorted: readonly number[]): number {
  const middle = sorted.length / 2
  const upper = sorted[Math.floor(middle)] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2
}

function round(value: number): number {
  return Number(value.toPrecision(4))
}

export function printTable(figures: readonly Figure[]): string {
  const rows = figures.map(
    (f) => `| ${f.name} | ${f.value} | ${f.unit} | ${f.spread.join(' – ')} | ${f.scale} |`,
  )
  return ['| figure | median | unit | min – max | scale |', '|---|--:|---|---|---|', ...rows].join('\n')
}
