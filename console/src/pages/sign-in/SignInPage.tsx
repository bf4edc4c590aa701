import { Button, InlineNotification, PasswordInput, TextInput } from '@carbon/react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, useRouter } from '@tanstack/react-router'
import { type FormEvent, useEffect, useState } from 'react'
import { client } from '../../api/client.ts'
import { explainError } from '../../api/explain-error.ts'
import { safeNext } from './safe-next.ts'

const route = getRouteApi('/login')

export function SignInPage() {
  const { next } = route.useSearch()
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const router = useRouter()
  const queryClient = useQueryClient()
  const signIn = useMutation({
    mutationFn: () => client.call('login', { body: { username, password } }),
    onSuccess: () => {
      queryClient.clear()
      void router.navigate({ href: safeNext(next), replace: true })
    },
  })
  useEffect(() => {
    document.title = 'Sign in · Kyros'
  }, [])
  const submit = (event: FormEvent) => {
    event.preventDefault()
    signIn.mutate()
  }
  return (
    <main className="k-sign-in">
      <form className="k-sign-in__form" onSubmit={submit}>
        <p className="k-sign-in__brand">
          <img src="/favicon.svg" alt="" width="32" height="32" />
          Kyros
        </p>
        <h1>Sign in</h1>
        <SignInError error={signIn.error} />
        <TextInput
          id="username"
          labelText="E-mail"
          autoComplete="username"
          inputMode="email"
          autoCapitalize="none"
          autoFocus
          required
          value={username}
          onChange={(event) => setUsername(event.target.value)}
        />
        <PasswordInput
          id="password"
          labelText="Password"
          autoComplete="current-password"
          required
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
        <Button type="submit" disabled={signIn.isPending}>
          {signIn.isPending ? 'Signing in…' : 'Sign in'}
        </Button>
        <p className="k-sign-in__hint">
          The first start of Kyros prints the admin's address and password once, in the terminal. More people
          are added with <code>npm run -s kyros -- user add</code>.
        </p>
      </form>
    </main>
  )
}

function SignInError({ error }: { error: unknown }) {
  if (error === null || error === undefined) return null
  const { title, detail } = explainError(error)
  return <InlineNotification kind="error" lowContrast hideCloseButton title={title} subtitle={detail} />
}
