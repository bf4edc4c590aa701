import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isObject } from '@kyros/kernel/is-object'

const fileName = 'cli-token'
const pattern = /^kyros_local_[\w-]{43}$/

/** The file is not one that only its owner can read: somebody else may know the token, or have put it there. */
export class LocalCredentialRefused extends Error {
  override readonly name = 'LocalCredentialRefused'
}

/**
 * Writes a new token for the command line of this machine into the data directory, readable by its owner alone.
 * Every start makes another, so an old copy is worth nothing.
 */
export async function createLocalCredential(dataDir: string): Promise<string> {
  const token = `kyros_local_${randomBytes(32).toString('base64url')}`
  const path = join(dataDir, fileName)
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  try {
    const file = await open(draft, 'wx', 0o600)
    await file.writeFile(`${token}\n`)
    await file.close()
    // A rename: a reader sees the old token or the new one, and a planted link is replaced, not followed.
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
  return token
}

/**
 * The token that the server of this data directory takes; undefined when there is none.
 * @throws LocalCredentialRefused when others may read or own the file
 */
export async function readLocalCredential(dataDir: string): Promise<string | undefined> {
  const path = join(dataDir, fileName)
  let file: FileHandle | undefined
  try {
    file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
    await checkOwner(file, path)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(128), 0, 128, 0)
    const token = buffer.toString('utf8', 0, bytesRead).trim()
    return pattern.test(token) ? token : undefined
  } catch (error) {
    const code = isObject(error) ? error.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    if (code === 'ELOOP') throw refusal(path, 'is a link')
    if (code === 'EACCES') throw refusal(path, 'belongs to another user')
    throw error
  } finally {
    await file?.close()
  }
}

async function checkOwner(file: FileHandle, path: string): Promise<void> {
  const stat = await file.stat()
  if (!stat.isFile()) throw refusal(path, 'is no file')
  // Windows has neither owners nor modes that Node could tell; the profile's own rights protect it there.
  if (process.platform === 'win32') return
  if (stat.uid !== process.getuid?.()) throw refusal(path, 'belongs to another user')
  if ((stat.mode & 0o077) !== 0) throw refusal(path, 'can be read by others')
}

function refusal(path: string, why: string): LocalCredentialRefused {
  return new LocalCredentialRefused(
    `${path} ${why}, so it is not used. Restart the server, or use kyros login.`,
  )
}
