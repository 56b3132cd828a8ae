import { describe, expect, test } from 'vitest'

import { fuzz } from '../../../fuzz/fuzzing.ts'
import { clientTargets } from '../../../fuzz/targets/client.ts'

describe('Hostile input', () => {
  test.each(clientTargets.map((target) => [target.name, target] as const))(
    'does no harm to the decoder of %s',
    async (_name, target) => {
      await expect(fuzz(target, { seed: 1, runs: 150 })).resolves.toBeUndefined()
    }
  )
})
