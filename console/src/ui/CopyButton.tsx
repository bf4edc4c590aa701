import Checkmark from '@carbon/icons-react/es/Checkmark.js'
import Copy from '@carbon/icons-react/es/Copy.js'
import { IconButton } from '@carbon/react'
import { useEffect, useState } from 'react'

const shownMs = 1_500

type Props = { text: string | (() => string); label: string; align?: 'left' | 'bottom' }

export function CopyButton({ text, label, align = 'left' }: Props) {
  const [isCopied, setCopied] = useState(false)
  useEffect(() => {
    if (!isCopied) return
    const timer = setTimeout(() => setCopied(false), shownMs)
    return () => clearTimeout(timer)
  }, [isCopied])
  const copy = async () => setCopied(await copyText(typeof text === 'function' ? text() : text))
  return (
    <IconButton kind="ghost" size="sm" align={align} label={isCopied ? 'Copied' : label} onClick={copy}>
      {isCopied ? <Checkmark /> : <Copy />}
    </IconButton>
  )
}

/** Answers whether the text is on the clipboard; plain http on a network address has no clipboard to write to. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copyBySelection(text)
  }
}

function copyBySelection(text: string): boolean {
  const area = document.createElement('textarea')
  area.value = text
  area.style.position = 'fixed'
  document.body.append(area)
  area.select()
  const isCopied = document.execCommand('copy')
  area.remove()
  return isCopied
}
