/** `1 file`, `1,200 files`: counts as people write them. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`
}

/** Bytes in decimal units, to one decimal. */
export function byteSize(bytes: number): string {
  if (bytes < 1_000) return counted(bytes, 'byte')
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}
