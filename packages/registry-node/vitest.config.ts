import { packageTests } from '../../vitest.package.config.ts'

export default packageTests()
