import { encodeValue } from '../src/xml-rpc/codec.ts'
import type { XmlRpcValue } from '../src/xml-rpc/value.ts'

/** The body of a request that calls a method, as a client writes it. */
export function encodeMethodCall(method: string, params: readonly XmlRpcValue[]): string {
  const all = params.map((param) => `<param>\n${encodeValue(param)}\n</param>\n`).join('')
  return `<?xml version='1.0'?>\n<methodCall>\n<methodName>${method}</methodName>\n<params>\n${all}</params>\n</methodCall>\n`
}
