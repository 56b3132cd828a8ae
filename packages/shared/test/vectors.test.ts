import { readFileSync } from 'node:fs'

import { describe, expect, test } from 'vitest'

import { vectorFiles } from '../../../vectors/generate.ts'

describe('The committed test vectors', () => {
  test.each(Object.entries(vectorFiles))(
    '%s are what the implementation computes today',
    (name, make) => {
      const committed: unknown = JSON.parse(
        readFileSync(new URL(`../../../vectors/${name}`, import.meta.url), 'utf8')
      )
      expect(JSON.parse(JSON.stringify(make()))).toEqual(committed)
    }
  )
})
