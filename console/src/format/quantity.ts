const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 })

/** A count in full: `3,000`. */
export function formatCount(count: number): string {
  return whole.format(count)
}

/** A count in at most three digits: `12.3K`. */
export function formatShort(count: number): string {
  return short.format(count)
}

/** A share between 0 and 1 as a percentage; never rounds a real failure away to `100 %`. */
export function formatShare(share: number): string {
  const percent = share * 100
  if (percent > 99.9 && percent < 100) return '99.9 %'
  return `${percent >= 99.95 || Number.isInteger(percent) ? Math.round(percent) : percent.toFixed(1)} %`
}

const byteUnits = ['B', 'KB', 'MB', 'GB', 'TB']

export function formatBytes(bytes: number): string {
  let amount = bytes
  let unit = 0
  while (amount >= 1000 && unit < byteUnits.length - 1) {
    amount /= 1000
    unit++
  }
  return `${unit === 0 || amount >= 100 ? Math.round(amount) : amount.toFixed(1)} ${byteUnits[unit]}`
}

/** `1 run`, `2 runs`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`
}
