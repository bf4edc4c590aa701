import { randomBytes } from 'node:crypto'
import type { CommandFunction } from '../command-line/command-context.ts'
import { wrongUsage } from '../command-line/command-error.ts'
import { exitCode } from '../command-line/exit-code.ts'
import { printTable } from '../command-line/table.ts'
import { connect } from '../connect/connect.ts'
import { idArgument } from './arguments.ts'
import { askPassword } from './ask.ts'

const roles = ['viewer', 'operator', 'admin'] as const
const passwordBytes = 15

export const addUser: CommandFunction = async (context) => {
  const { options, terminal } = context
  const email = idArgument(context)
  const wanted = options.text('role') ?? 'operator'
  const role = roles.find((known) => known === wanted)
  if (role === undefined) {
    throw wrongUsage(`There is no role ${wanted}.`, `Give --role one of ${roles.join(', ')}.`)
  }
  const { client } = await connect(context)
  const isGenerated = options.flag('generate')
  const password = isGenerated
    ? randomBytes(passwordBytes).toString('base64url')
    : await askPassword(`Password for ${email}: `)
  const user = await client.call('createUser', { body: { email, password, role } })
  if (context.wantsJson) terminal.json(isGenerated ? { ...user, password } : user)
  else {
    terminal.out(`${user.email} is added as ${user.role}.`)
    if (isGenerated) terminal.out(`Password: ${password}`)
  }
  return exitCode.done
}

export const listUsers: CommandFunction = async (context) => {
  const { client } = await connect(context)
  const { users } = await client.call('listUsers')
  if (context.wantsJson) context.terminal.json({ users })
  else {
    type User = (typeof users)[number]
    const columns = [
      { title: 'EMAIL', value: (user: User) => user.email },
      { title: 'ROLE', value: (user: User) => user.role },
      { title: 'ACTIVE', value: (user: User) => (user.active ? 'yes' : 'no') },
      { title: 'CREATED', value: (user: User) => user.created_at },
    ]
    printTable(context.terminal, columns, users)
  }
  return exitCode.done
}
