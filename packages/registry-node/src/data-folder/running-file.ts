import { rm } from 'node:fs/promises'
import { join } from 'node:path'

import { readSecret, writeSecret } from './secret-file.ts'

/** What a running node leaves in its data folder, for the other commands to find it. */
export interface RunningNode {
  readonly pid: number
  /** `http://host:port` of the HTTP interface. */
  readonly http: string
  /** `http://host:port` of metrics and commands, where there is one. */
  readonly admin?: string
  /** Proves to the admin interface that a command comes from somebody who may read the data folder. */
  readonly token: string
}

const fileOf = (directory: string): string => join(directory, 'running.json')

/** Notes that a node runs on this data folder. */
export async function writeRunningFile(directory: string, running: RunningNode): Promise<void> {
  await writeSecret(fileOf(directory), JSON.stringify(running))
}

/** The node on a data folder, undefined if none runs. What a killed node left behind counts as nothing. */
export async function readRunningFile(directory: string): Promise<RunningNode | undefined> {
  const content = await readSecret(fileOf(directory))
  if (content === undefined) return undefined
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(content))
    return isRunningNode(value) && isAlive(value.pid) ? value : undefined
  } catch {
    return undefined
  }
}

/** Notes that no node runs here any more. */
export async function removeRunningFile(directory: string): Promise<void> {
  await rm(fileOf(directory), { force: true })
}

function isRunningNode(value: unknown): value is RunningNode {
  if (typeof value !== 'object' || value === null) return false
  const { pid, http, admin, token }: Partial<Record<keyof RunningNode, unknown>> = value
  const texts = typeof http === 'string' && typeof token === 'string'
  return texts && Number.isInteger(pid) && (admin === undefined || typeof admin === 'string')
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
