import { createClient } from '@kyros/client/client'
import { renewSession } from './session.ts'

/** The one client of this page; the session cookie says who calls. */
export const client = createClient({ baseUrl: '', access: { refresh: renewSession } })
