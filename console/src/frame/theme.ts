import { useSyncExternalStore } from 'react'

export const themeChoices = ['system', 'light', 'dark'] as const
export type ThemeChoice = (typeof themeChoices)[number]

const key = 'kyros.theme'
const darkSystem = matchMedia('(prefers-color-scheme: dark)')
const listeners = new Set<() => void>()

function readChoice(): ThemeChoice {
  const stored = localStorage.getItem(key)
  return themeChoices.find((choice) => choice === stored) ?? 'system'
}

let choice = readChoice()

/** Puts the theme's class on the document; called once before anything is drawn, then on every change. */
export function applyTheme(): void {
  const isDark = choice === 'dark' || (choice === 'system' && darkSystem.matches)
  document.documentElement.classList.toggle('cds--g100', isDark)
  document.documentElement.classList.toggle('cds--g10', !isDark)
}

export function setTheme(next: ThemeChoice): void {
  choice = next
  localStorage.setItem(key, next)
  applyTheme()
  for (const listener of listeners) listener()
}

export function useThemeChoice(): ThemeChoice {
  return useSyncExternalStore(subscribe, () => choice)
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

darkSystem.addEventListener('change', applyTheme)
