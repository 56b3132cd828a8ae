// Adds up the reports of the test runner, lists what was skipped and prints `N passed, N failed` as the last line.
// Arguments: the names of the jobs that failed. Runs on the plain Node.js of the machine, also after a failed install.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const failedJobs = process.argv.slice(2)
const read = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'))
const packages = [
  ...readdirSync(join(root, 'packages')).map((name) => `packages/${name}`),
  'test-net'
]

const problems = failedJobs.map((job) => `job failed: ${job}`)
const skipped = []
let passed = 0
let failed = 0

for (const path of packages.filter((name) => existsSync(join(root, name, 'package.json')))) {
  const file = `${path}/test-results.json`
  if (!existsSync(join(root, file))) {
    problems.push(`no test results: ${file}`)
    continue
  }
  const report = read(file)
  passed += report.numPassedTests
  failed += report.numFailedTests
  if (report.numPassedTests === 0) problems.push(`no test passed: ${path}`)
  for (const { name, status, message, assertionResults } of report.testResults) {
    const test = name.slice(name.indexOf(`${path}/`))
    if (status === 'failed' && assertionResults.every((result) => result.status !== 'failed')) {
      problems.push(`did not run to its end: ${test} ${message}`)
    }
    for (const result of assertionResults) {
      if (result.status === 'failed') console.log(`failed: ${test} > ${result.fullName}`)
      else if (result.status !== 'passed') skipped.push(`${test} > ${result.fullName}`)
    }
  }
}

/** Tests that may be skipped: `{ "<file> > <full name>": "<reason>" }`. */
const expected = read('.ci/expected-skips.json')
for (const test of skipped) {
  console.log(`skipped: ${test} (${expected[test] ?? 'UNEXPECTED'})`)
  if (!Object.hasOwn(expected, test)) problems.push(`skipped without being expected: ${test}`)
}

// The job that runs the tests fails with them; it counts by itself only if no test tells why.
const told = failed + problems.length > failedJobs.length
const counted = problems.filter((problem) => !(told && problem === 'job failed: tests'))
for (const problem of problems) console.log(problem)
process.exitCode = failed + problems.length === 0 ? 0 : 1
console.log(`${passed} passed, ${failed + counted.length} failed`)
