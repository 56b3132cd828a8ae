/**
 * The Hushlamp daemon: any XMPP client on this computer is its face. As a library for test networks and programs that
 * embed it; users start the program `hushlamp`.
 *
 * @packageDocumentation
 */
export { Daemon, addressText, xmppDomain } from './daemon.ts'
export type { DaemonInit, DaemonReports } from './daemon.ts'
export type { DaemonConfig, TorChoice } from './config.ts'
export { DataFolder } from './accounts/data-folder.ts'
export type { DataFolderInit } from './accounts/data-folder.ts'
export { EncryptedLevel } from './storage/encrypted-level.ts'
export type { DoorAddress } from './inward-door.ts'
