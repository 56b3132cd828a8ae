import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { outcome } from './acceptance.ts'
import type { Acceptance, Outcome } from './acceptance.ts'
import { checkBenchmark, checkCommand, checkTestFile } from './checks.ts'
import type { Workbench } from './workbench.ts'

const run = 'npx --no node --conditions=source --disable-warning=ExperimentalWarning'

/** Tests that fill keys with a hundred puts are left out where a put goes to eight nodes or through Tor. */
const fullKeySkips = 2

async function checkCompliance(bench: Workbench): Promise<readonly Outcome[]> {
  return [
    await checkTestFile(bench, 'packages/shared', 'test/registry-memory.test.ts'),
    await checkTestFile(bench, 'packages/registry-node', 'test/http.test.ts'),
    await checkTestFile(bench, 'packages/registry-node', 'test/network.test.ts', {
      skips: fullKeySkips
    }),
    await checkTestFile(bench, 'test-net', 'test/registry-network.tor.test.ts', {
      skips: fullKeySkips
    })
  ]
}

/** The report is made again for the smallest network, which must come out as the committed one did. */
async function checkSimulation(bench: Workbench): Promise<readonly Outcome[]> {
  const { clone } = await bench.installed()
  const report = await readFile(join(clone.directory, 'docs/simulation/report.md'), 'utf8')
  const sizes = ['100', '1,000', '10,000']
  const missing = sizes.filter((size) => !report.includes(size))
  const command = /npm run simulate[^`\n]*/.exec(report)?.[0]
  return [
    outcome(
      missing.length === 0 && command !== undefined,
      'cat docs/simulation/report.md',
      `made by: ${command ?? 'not told'}`,
      ...missing.map((size) => `nothing on ${size} nodes`)
    ),
    await checkTestFile(bench, 'test-net', 'test/simulation')
  ]
}

/** The third stage: what a volunteer can run for years. */
export const registry: Acceptance = {
  topic: 'registry',
  title: 'Registry node',
  lines: [
    {
      promise: 'Python’s own XML-RPC client lives through the story of OpenDHT’s users’ guide',
      check: async (bench) => [
        await checkTestFile(bench, 'packages/registry-node', 'test/opendht-guide.test.ts')
      ]
    },
    {
      promise:
        'One suite of compliance passes in memory, on one node, on twelve nodes, and on twelve nodes through a real Tor',
      check: checkCompliance
    },
    {
      promise:
        'Of twelve nodes, twenty writers keep twenty values; five killed, all restarted in turn under load, or cut in halves, they lose nothing',
      check: async (bench) => [
        await checkCommand(bench, `${run} test-net/src/verify/registry/churn.ts`, {
          minutes: 10,
          lines: 16
        })
      ]
    },
    {
      promise:
        'A flood of ten times the capacity for 60 s loses no stored value and stops no renewal and no stamped put',
      check: async (bench) => [
        await checkCommand(bench, `${run} test-net/src/verify/registry/flood.ts --seconds 60`, {
          minutes: 8,
          lines: 16
        })
      ]
    },
    {
      promise:
        'At most 1/10 of kad-dht’s CPU at 30 nodes, gets as fast as hyperdht’s at 30 and 50, one node at 60 % of bare Fastify and Level',
      check: async (bench) => [await checkBenchmark(bench, 'registry', 20)]
    },
    {
      promise:
        'With a million values: get p99 below 1 ms, 20,000 swept a second; at most 60 MB for 10,000 keys',
      check: async (bench) => [await checkBenchmark(bench, 'store', 15)]
    },
    {
      promise:
        'Networks of 100, 1,000 and 10,000 nodes were simulated, with the command that does it',
      check: checkSimulation
    },
    {
      promise:
        'The status page and the description of the interface ask nothing of anybody but the node, in a real browser',
      check: async (bench) => [
        await checkTestFile(bench, 'test-net', 'test/status-page.browser.test.ts')
      ]
    }
  ]
}
