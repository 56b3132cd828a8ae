/** Repeatable inputs for vectors, tests and simulations. Apart from the suites, because it runs without a test runner. */
export { seededRandom } from './seeded-random.ts'
export { testIdentity, testSecret } from './test-identity.ts'
