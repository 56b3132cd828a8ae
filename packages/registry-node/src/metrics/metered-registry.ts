import { isHushlampError, resultCode } from '@hushlamp/shared'
import type { Clock, Registry, ResultCode } from '@hushlamp/shared'

import type { NodeMeter, Operation, OperationResult } from './node-meter.ts'

const results = {
  [resultCode.ok]: 'ok',
  [resultCode.overCapacity]: 'over-capacity',
  [resultCode.tryAgain]: 'try-again'
} as const satisfies Record<ResultCode, OperationResult>

/** A registry whose operations are counted and timed. They end as those of `registry` do. */
export function meteredRegistry(
  registry: Registry,
  clock: Clock,
  meters: readonly Pick<NodeMeter, 'operation' | 'refused'>[]
): Registry {
  const metered = async <Result>(
    operation: Operation,
    run: () => Promise<Result>,
    resultOf: (result: Result) => OperationResult
  ): Promise<Result> => {
    const startMs = clock.monotonicMs()
    const ended = (result: OperationResult): void => {
      const seconds = (clock.monotonicMs() - startMs) / 1000
      for (const meter of meters) meter.operation(operation, result, seconds)
    }
    try {
      const result = await run()
      ended(resultOf(result))
      if (result === resultCode.overCapacity) {
        for (const meter of meters) meter.refused('over-capacity')
      }
      return result
    } catch (error) {
      const refused = isHushlampError(error) && breaksRule(error.code)
      ended(refused ? 'refused' : 'failed')
      if (refused) countRefusal(error, meters)
      throw error
    }
  }
  return {
    put: async (request, options) =>
      metered('put', async () => registry.put(request, options), nameOf),
    get: async (request, options) =>
      metered(
        'get',
        async () => registry.get(request, options),
        () => 'ok'
      ),
    remove: async (request, options) =>
      metered('remove', async () => registry.remove(request, options), nameOf)
  }
}

const counted = new WeakSet<Error>()

/** Counts a request that breaks a rule, unless the same error has been counted on its way up. */
export function countRefusal(error: unknown, meters: readonly Pick<NodeMeter, 'refused'>[]): void {
  if (!(error instanceof Error) || counted.has(error)) return
  counted.add(error)
  const reason = isHushlampError(error) ? error.code : 'registry-malformed'
  for (const meter of meters) meter.refused(reason)
}

function nameOf(code: ResultCode): OperationResult {
  return results[code]
}

function breaksRule(code: string): boolean {
  return code.startsWith('registry-') && code !== 'registry-unreachable'
}
