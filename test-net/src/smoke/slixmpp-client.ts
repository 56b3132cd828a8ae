import { fileURLToPath } from 'node:url'

import type { Programs } from '../programs.ts'
import { SupervisedProcess } from '../supervised-process.ts'
import type { TestUser } from '../users/test-user.ts'

/** slixmpp, logged in as a user, beside the user's daemon. */
export function startSlixmpp(user: TestUser, programs: Programs): SupervisedProcess {
  const script = fileURLToPath(new URL('slixmpp-client.py', import.meta.url))
  const python = programs.paths.get('python3-slixmpp') ?? 'python3'
  const { host, port } = user.xmpp
  const args = [script, user.jid, user.password, host, String(port), user.certificatePath]
  return new SupervisedProcess({
    label: `slixmpp of ${user.name}`,
    command: user.command(python, args),
    environment: programs.environment
  })
}
