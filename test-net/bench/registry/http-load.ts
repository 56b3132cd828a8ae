import { randomBytes } from 'node:crypto'
import { Agent, request } from 'node:http'

import { encodeGet, encodePut } from '@hushlamp/shared'
import type { RestRequest } from '@hushlamp/shared'

/** Requests at a time, each on a connection that stays open. */
const connections = 32

/** A client that keeps a server busy with puts and gets. */
export class HttpLoad implements Disposable {
  readonly #url: URL
  readonly #agent = new Agent({ keepAlive: true, maxSockets: connections })
  readonly #keys: Uint8Array[] = []

  constructor(url: string) {
    this.#url = new URL(url)
  }

  /** Puts for so long under new keys, and answers with the puts per second. */
  async puts(forMs: number): Promise<number> {
    return this.#each(forMs, async () => {
      const key = new Uint8Array(randomBytes(20))
      const value = new Uint8Array(randomBytes(128))
      await this.#ask(encodePut({ key, value, ttlSeconds: 3600 }), 201)
      this.#keys.push(key)
    })
  }

  /** Gets for so long what was put, and answers with the gets per second. */
  async gets(forMs: number): Promise<number> {
    let next = 0
    return this.#each(forMs, async () => {
      const key = this.#keys[next++ % this.#keys.length] ?? new Uint8Array(20)
      await this.#ask(encodeGet({ key }), 200)
    })
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }

  async #each(forMs: number, act: () => Promise<void>): Promise<number> {
    let done = 0
    const begunMs = performance.now()
    const one = async (): Promise<void> => {
      while (performance.now() - begunMs < forMs) {
        await act()
        done++
      }
    }
    await Promise.all(Array.from({ length: connections }, one))
    return done / ((performance.now() - begunMs) / 1000)
  }

  async #ask({ method, path, body }: RestRequest, expected: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const { hostname: host, port } = this.#url
      const headers = body === undefined ? {} : { 'content-type': 'application/json' }
      const asked = request({ host, port, method, path, headers, agent: this.#agent }, (answer) => {
        answer.resume()
        answer.once('end', () => {
          if (answer.statusCode === expected) resolve()
          else reject(new Error(`a request was answered ${answer.statusCode}`))
        })
      })
      asked.once('error', reject)
      asked.end(body)
    })
  }
}
