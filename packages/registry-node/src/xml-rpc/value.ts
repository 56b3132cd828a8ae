/** A value of XML-RPC, of the types that OpenDHT uses: `int`, `string`, `base64` and `array`. */
export type XmlRpcValue = number | string | Uint8Array | readonly XmlRpcValue[]

/** What XML-RPC calls the type of a value. */
export type XmlRpcType = 'int' | 'string' | 'base64' | 'array'

/** A call of a method. */
export interface MethodCall {
  readonly method: string
  readonly params: readonly XmlRpcValue[]
}

/** What an answer holds instead of a value where a call fails. */
export interface XmlRpcFault {
  readonly code: number
  /** In the words of OpenDHT's gateways: the name of a Java class, a colon, a sentence. */
  readonly text: string
}

/** The type under which a value travels. */
export function typeOfValue(value: XmlRpcValue): XmlRpcType {
  if (typeof value === 'number') return 'int'
  if (typeof value === 'string') return 'string'
  return value instanceof Uint8Array ? 'base64' : 'array'
}

/** Whether a number fits into an `int`: four bytes with a sign. */
export function isInt(value: number): boolean {
  return Number.isInteger(value) && value >= -0x80000000 && value <= 0x7fffffff
}
