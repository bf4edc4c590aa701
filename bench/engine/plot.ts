import { median } from '../src/figures.ts'
import type { Curve, Samples } from './samples.ts'

const width = 720
const chartHeight = 360
const margin = { left: 90, right: 30, top: 50, bottom: 60 }
const style = `<style>
  svg { background: #ffffff; font: 13px sans-serif; }
  text { fill: #161616; } .axis { stroke: #8d8d8d; } .ours { fill: #0f62fe; stroke: #0f62fe; } .peer { fill: #8d8d8d; }
</style>`

const bars = [
  ['kyros', 'Kyros, SQLite', 'ours'],
  ['kyros_postgres', 'Kyros, PostgreSQL', 'ours'],
  ['restate', 'Restate', 'peer'],
  ['dbos', 'DBOS, PostgreSQL', 'peer'],
  ['openworkflow', 'openworkflow, SQLite', 'peer'],
  ['kyros_temporal', 'Kyros on Temporal', 'ours'],
  ['temporal', 'Temporal, plain code', 'peer'],
] as const

/** Workflows a second of every engine with the spread of the rounds. */
export function ratePlot(samples: Samples): string {
  const left = 170
  const measured = bars.filter(([key]) => samples.of(`${key}_workflows_per_second`).length > 0)
  const rows = measured.map(([key, title, kind]) => {
    const values = [...samples.of(`${key}_workflows_per_second`)].sort((a, b) => a - b)
    return { title, kind, middle: median(values), low: values.at(0) ?? 1, high: values.at(-1) ?? 1 }
  })
  const top = Math.max(1, ...rows.map(({ high }) => high))
  const x = (value: number) => left + (value / top) * (width - left - 90)
  const body = rows.map(({ title, kind, middle, low, high }, index) => {
    const y = 60 + index * 52
    return `<text x="${left - 10}" y="${y + 20}" text-anchor="end">${title}</text>
<rect class="${kind}" x="${left}" y="${y}" width="${shown(x(middle) - left)}" height="30"/>
<line class="axis" x1="${shown(x(low))}" x2="${shown(x(high))}" y1="${y + 36}" y2="${y + 36}"/>
<text x="${shown(x(middle) + 8)}" y="${y + 20}">${Math.round(middle).toLocaleString('en')}</text>`
  })
  return svg('Three-step workflows/s, 256 at once', body.join('\n'), 80 + rows.length * 52)
}

/** A line through the points of a curve, both axes from zero. */
export function curvePlot({ title, x: xTitle, y: yTitle, points }: Curve): string {
  const maxX = Math.max(1, ...points.map((point) => point.x))
  const maxY = niceAbove(Math.max(...points.map((point) => point.y)))
  const x = (value: number) => margin.left + (value / maxX) * (width - margin.left - margin.right)
  const height = chartHeight
  const y = (value: number) => height - margin.bottom - (value / maxY) * (height - margin.top - margin.bottom)
  const line = points.map((point) => `${shown(x(point.x))},${shown(y(point.y))}`).join(' ')
  const dots = points.map(
    (point) => `<circle class="ours" cx="${shown(x(point.x))}" cy="${shown(y(point.y))}" r="3"/>`,
  )
  const ticks = [0, 0.25, 0.5, 0.75, 1].map(
    (
      share,
    ) => `<text x="${margin.left - 8}" y="${shown(y(maxY * share) + 4)}" text-anchor="end">${(maxY * share).toLocaleString('en')}</text>
<text x="${shown(x(maxX * share))}" y="${height - margin.bottom + 20}" text-anchor="middle">${(maxX * share).toLocaleString('en')}</text>`,
  )
  const axes = `<path class="axis" fill="none" d="M${margin.left} ${margin.top}V${height - margin.bottom}H${width - margin.right}"/>`
  const words = `<text x="${width / 2}" y="${height - 15}" text-anchor="middle">${xTitle}</text>
<text x="20" y="${height / 2}" text-anchor="middle" transform="rotate(-90 20 ${height / 2})">${yTitle}</text>`
  const drawn = `<polyline class="ours" style="fill: none" stroke-width="2" points="${line}"/>`
  return svg(title, [axes, ...ticks, words, drawn, ...dots].join('\n'))
}

function svg(title: string, body: string, height = chartHeight): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">
${style}
<text x="20" y="28" font-weight="bold">${title}</text>
${body}
</svg>
`
}

function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1e-6)))
  return ([1, 2, 4, 5, 10].find((factor) => factor * power >= value) ?? 10) * power
}

function shown(value: number): string {
  return String(Number(value.toPrecision(4)))
}
