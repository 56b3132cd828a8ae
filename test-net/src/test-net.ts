import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { OnProgress } from '@hushlamp/client'

import { startRegistryNodes } from './registry-nodes.ts'
import type { RunningNode } from './registry-nodes.ts'
import { PrivateTorNetwork } from './tor-network/private-tor-network.ts'
import { TestUser } from './users/test-user.ts'
import { makeUserFolders } from './users/user-folders.ts'

/** How a {@link TestNet} is made. */
export interface TestNetOptions {
  /** How many registry nodes. Default 3. */
  readonly nodes?: number
  /** Names of the users, who are all each other's contacts. Default `alice` and `bob`. */
  readonly users?: readonly string[]
  /** Where the users' XMPP clients log in, in the order of `users`. Default: free ports. */
  readonly xmpp?: readonly string[]
  /** One-way delay of Tor's links, milliseconds, spread over this range. None by default. */
  readonly latencyMs?: readonly [number, number]
  /** Whether each user's daemon lives in an empty network namespace. Default false. */
  readonly sandboxed?: boolean
  readonly onProgress?: OnProgress
  readonly signal?: AbortSignal
}

/**
 * Everything on one computer: a private Tor network, registry nodes, users with their daemons. The same for tests, for
 * measurements and for a first look. Disposing it ends every process and removes every file.
 */
export class TestNet implements AsyncDisposable {
  readonly tor: PrivateTorNetwork
  readonly nodes: readonly RunningNode[]
  readonly users: readonly TestUser[]
  readonly #resources: AsyncDisposableStack

  private constructor(
    parts: {
      readonly tor: PrivateTorNetwork
      readonly nodes: readonly RunningNode[]
      readonly users: readonly TestUser[]
    },
    resources: AsyncDisposableStack
  ) {
    this.tor = parts.tor
    this.nodes = parts.nodes
    this.users = parts.users
    this.#resources = resources
  }

  /** Starts the network; fulfilled when every user's XMPP clients can log in. Errors: those of the parts. */
  static async create(options: TestNetOptions = {}): Promise<TestNet> {
    await using resources = new AsyncDisposableStack()
    const {
      signal,
      onProgress = (): void => undefined,
      latencyMs,
      users: names = ['alice', 'bob']
    } = options
    const directory = await mkdtemp(join(tmpdir(), 'hushlamp-'))
    resources.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }))
    const abort = signal ? { signal } : {}

    const [tor, nodes, folders] = await allOrFirstError([
      PrivateTorNetwork.create({ ...abort, ...(latencyMs && { latencyMs }), onProgress }).then(
        (network) => resources.use(network)
      ),
      startRegistryNodes(options.nodes ?? 3, directory, resources, signal).then((started) => {
        onProgress({ phase: 'registry', text: `${started.length} registry nodes are running` })
        return started
      }),
      makeUserFolders(names, directory)
    ])
    const registryNodes = nodes.map(({ http }) => http)
    onProgress({ phase: 'users', text: `Starting the daemons of ${names.join(' and ')}` })
    const users = await allOrFirstError(
      folders.map(async (folder, index) => {
        const xmpp = options.xmpp?.[index]
        const init = { folder, torNetwork: tor, registryNodes, ...abort, ...(xmpp && { xmpp }) }
        const sandboxed = options.sandboxed ?? false
        return resources.use(await TestUser.start({ ...init, sandboxed }))
      })
    )
    return new TestNet({ tor, nodes, users }, resources.move())
  }

  /** The user of that name. */
  user(name: string): TestUser {
    const user = this.users.find((each) => each.name === name)
    if (!user) throw new RangeError('there is no such user in this test network')
    return user
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync()
  }
}

/** As Promise.all, but settled only when all are, so that whatever was still starting can be ended. */
async function allOrFirstError<T extends readonly unknown[] | []>(
  work: T
): Promise<{ -readonly [P in keyof T]: Awaited<T[P]> }> {
  await Promise.allSettled(work)
  return Promise.all(work)
}
