// A path of a repository is bytes. Inside the analysis it is a string with one character per byte ("latin1"), which
// keeps every name apart; for people it is shown as UTF-8, with what cannot be shown escaped.

const strictUtf8 = new TextDecoder('utf-8', { fatal: true })
// Direction overrides can make a name look like another one.
const unshowable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

export function shownPath(byteString: string): string {
  const bytes = Buffer.from(byteString, 'latin1')
  let text: string
  try {
    text = strictUtf8.decode(bytes)
  } catch {
    text = escapeHighBytes(bytes)
  }
  return text.replace(unshowable, (character) => {
    const code = character.codePointAt(0) ?? 0
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
  })
}

function escapeHighBytes(bytes: Buffer): string {
  let text = ''
  for (const byte of bytes) text += byte < 0x80 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`
  return text
}

/** Orders byte strings as Git orders names. */
export function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
