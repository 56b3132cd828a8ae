import { readdirSync } from 'node:fs'

import { describe, expect, test } from 'vitest'

import { playScript } from './scripts/conversation.ts'

const folder = new URL('scripts/', import.meta.url)

describe('a conversation with the XMPP server', () => {
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.txt'))) {
    test(`goes as written in ${name}`, () => {
      expect(() => playScript(new URL(name, folder))).not.toThrow()
    })
  }
})
