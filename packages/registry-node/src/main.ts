import { runCli } from './cli/program.ts'
import { provideWithResolvers } from './promise-with-resolvers.ts'

// The command line loads libp2p only when it starts a node.
provideWithResolvers()
process.exitCode = await runCli(process.argv.slice(2))
