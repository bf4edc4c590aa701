import Logout from '@carbon/icons-react/es/Logout.js'
import UserAvatar from '@carbon/icons-react/es/UserAvatar.js'
import { Button } from '@carbon/react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useId, useRef } from 'react'
import { client } from '../api/client.ts'
import { userQuery } from '../api/queries.ts'
import { live } from '../live/live.ts'
import { toastFailed } from '../ui/toasts.tsx'
import { setTheme, themeChoices, useThemeChoice } from './theme.ts'

/** Who is signed in, the theme, and the way out. A popover of the browser: it closes on Escape and outside clicks. */
export function AccountMenu() {
  const id = useId()
  const popover = useRef<HTMLDivElement>(null)
  const { data: user } = useQuery(userQuery)
  const signOut = useSignOut()
  return (
    <>
      <button type="button" className="k-header__action" popoverTarget={id} aria-label="Account and theme">
        <UserAvatar size={20} />
      </button>
      <div id={id} ref={popover} popover="auto" className="k-account">
        <p className="k-account__name">{user?.email}</p>
        <p className="k-faint">{user?.role}</p>
        <ThemeSwitch />
        <Button kind="ghost" size="md" renderIcon={Logout} onClick={signOut}>
          Sign out
        </Button>
      </div>
    </>
  )
}

function ThemeSwitch() {
  const choice = useThemeChoice()
  return (
    <fieldset className="k-switch">
      <legend className="k-faint">Theme</legend>
      {themeChoices.map((name) => (
        <label
          key={name}
          className={name === choice ? 'k-switch__choice k-switch__choice--on' : 'k-switch__choice'}
        >
          <input
            type="radio"
            name="theme"
            className="k-hidden"
            checked={name === choice}
            onChange={() => setTheme(name)}
          />
          {name}
        </label>
      ))}
    </fieldset>
  )
}

function useSignOut() {
  const queryClient = useQueryClient()
  const navigate = useNavigate()
  return async () => {
    try {
      await client.call('logout', { body: {} })
    } catch (error) {
      return toastFailed('You are still signed in', error)
    }
    live.stop()
    queryClient.clear()
    await navigate({ to: '/login' })
  }
}
