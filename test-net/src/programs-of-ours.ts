import { fileURLToPath } from 'node:url'

import type { Command } from './sandbox/network-namespace.ts'

const packages = new URL('../../packages/', import.meta.url)

/** The daemon, as users start it. */
export function hushlamp(...args: readonly string[]): Command {
  return ours('im-daemon/bin/hushlamp.js', args)
}

/** The registry node, as volunteers start it. */
export function hushlampNode(...args: readonly string[]): Command {
  return ours('registry-node/bin/hushlamp-node.js', args)
}

function ours(program: string, args: readonly string[]): Command {
  return { command: process.execPath, args: [fileURLToPath(new URL(program, packages)), ...args] }
}
