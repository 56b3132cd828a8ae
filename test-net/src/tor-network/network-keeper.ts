import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/**
 * Reads process ids until its standard input ends, which is when the owner is gone; then ends those that still are what
 * they were (their command line names the folder), and removes the folder.
 */
const script = `
while read -r pid; do pids="$pids $pid"; done
for pid in $pids; do
  if tr '\\0' ' ' < "/proc/$pid/cmdline" | grep -qF "$0/"; then kill -KILL "$pid"; fi
done
rm -rf "$0"
`

/**
 * Cleans up after us if we are killed. Each Tor watches our process id as well, but only every 15 s, and some never get
 * through with ending by themselves (see {@link TorNode}).
 */
export class NetworkKeeper implements AsyncDisposable {
  readonly #child: ChildProcess

  /** `directory` is removed when we are killed. */
  constructor(directory: string) {
    this.#child = spawn('sh', ['-c', script, directory], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore']
    })
    // Without a shell there is only Tor's own watch.
    this.#child.on('error', () => {})
    this.#child.stdin?.on('error', () => {})
  }

  /** Has the process ended, too, when we are killed. */
  watch(pid: number | undefined): void {
    if (pid !== undefined) this.#child.stdin?.write(`${pid}\n`)
  }

  /** Nothing is left to be cleaned up. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.pid === undefined || this.#child.exitCode !== null) return
    const closed = once(this.#child, 'close')
    this.#child.kill('SIGKILL')
    await closed
  }
}
