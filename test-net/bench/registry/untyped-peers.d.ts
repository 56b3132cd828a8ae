declare module 'hyperdht' {
  interface KeyPair {
    readonly publicKey: Buffer
    readonly secretKey: Buffer
  }
  interface Options {
    readonly ephemeral?: boolean
    readonly firewalled?: boolean
    readonly host?: string
    readonly port?: number
    readonly bootstrap?: readonly { readonly host: string; readonly port: number }[]
  }
  export default class HyperDHT {
    constructor(options?: Options)
    static keyPair(seed?: Buffer): KeyPair
    fullyBootstrapped(): Promise<void>
    address(): { readonly host: string; readonly port: number }
    mutablePut(keyPair: KeyPair, value: Buffer): Promise<unknown>
    mutableGet(publicKey: Buffer): Promise<{ readonly value: Buffer } | null>
    immutablePut(value: Buffer): Promise<{ readonly hash: Buffer }>
    immutableGet(hash: Buffer): Promise<{ readonly value: Buffer } | null>
    destroy(options?: { readonly force?: boolean }): Promise<void>
  }
}

declare module 'bittorrent-dht' {
  interface Options {
    readonly bootstrap?: false | readonly string[]
    readonly host?: string
    verify?(signature: Buffer, message: Buffer, publicKey: Buffer): boolean
  }
  interface Value {
    readonly v: Buffer
    readonly k?: Buffer
    readonly seq?: number
    sign?(message: Buffer): Buffer
  }
  export class Client {
    constructor(options?: Options)
    listen(port: number, address: string, listening: () => void): void
    address(): { readonly port: number }
    addNode(node: { readonly host: string; readonly port: number }): void
    once(event: 'ready', listener: () => void): void
    put(value: Value, done: (error: Error | null, hash: Buffer) => void): void
    get(hash: Buffer, done: (error: Error | null, value: Value | null) => void): void
    destroy(done: () => void): void
  }
}
