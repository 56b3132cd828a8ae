import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'

import { HushlampError } from '@hushlamp/shared'

const answerMs = 10_000
const maxTextBytes = 1024 * 1024

/** What is asked of the own node, on this computer. */
export interface LocalRequest {
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * The answer of the node that runs here, its head read and its body not.
 *
 * @throws HushlampError `registry-unreachable`
 */
export async function askNode(url: string, init: LocalRequest = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const unanswered = (cause: unknown): void => {
      const message = 'The node runs and does not answer. Look at its log, or restart it.'
      reject(new HushlampError('registry-unreachable', message, { cause }))
    }
    const asked = request(url, { ...init, agent: false, timeout: answerMs }, resolve)
    asked.once('timeout', () => asked.destroy(new Error('no answer in time')))
    asked.once('error', unanswered)
    asked.end()
  })
}

/** Status and body of an answer of the node that runs here. */
export async function askNodeForText(
  url: string,
  init?: LocalRequest
): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await askNode(url, init)
  let text = ''
  try {
    for await (const chunk of answer.setEncoding('utf8')) {
      text += String(chunk)
      if (text.length > maxTextBytes) break
    }
  } catch (cause) {
    throw new HushlampError('registry-unreachable', undefined, { cause })
  }
  return { status: answer.statusCode ?? 0, text }
}
