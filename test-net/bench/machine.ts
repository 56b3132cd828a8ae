import { arch, availableParallelism, cpus, platform, release } from 'node:os'

/** The machine and the versions that figures come from. */
export function machine(): Readonly<Record<string, string | number>> {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    system: `${platform()} ${release()} ${arch()}`,
    'Node.js': process.versions.node,
    OpenSSL: process.versions['openssl'] ?? 'unknown',
    V8: process.versions.v8
  }
}
