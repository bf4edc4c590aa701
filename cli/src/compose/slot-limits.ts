/** `name=number`, as the settings have it; a later one goes before an earlier one. */
export function limitsOf(settings: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    settings.map((setting) => {
      const at = setting.lastIndexOf('=')
      return [setting.slice(0, at), Number(setting.slice(at + 1))]
    }),
  )
}
