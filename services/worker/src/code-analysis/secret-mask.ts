// Snippets and messages go into reports that are shown and passed on. Whatever looks like a credential is hidden there,
// also in the lines around a finding of another kind.
const patterns: readonly RegExp[] = [
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|sk-|sk_live_|rk_live_|pk_live_|npm_|pypi-|AIza|SG\.|hf_|dop_v1_|shpat_)[\w.-]{16,}/g,
  /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g,
  /(?<=:\/\/[^\s/:@'"]{1,100}:)[^\s/@'"]{3,200}(?=@)/g,
  /(?<=(?:password|passwd|secret|token|api[_-]?key|private[_-]?key|access[_-]?key)\w{0,20}['"]?\s{0,4}[:=]{1,2}>?\s{0,4}['"])[^'"\s]{8,400}(?=['"])/gi,
  // Lines of a key in PEM form.
  /^\s*[A-Za-z0-9+/]{60,}={0,2}\s*$/g,
]

export function maskSecretText(text: string): string {
  return patterns.reduce((masked, pattern) => masked.replace(pattern, '••••••'), text)
}
