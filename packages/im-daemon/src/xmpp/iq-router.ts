import { forwardToResource, isError, targetOf } from './features/addressing.ts'
import type { ClientContext, IqReply, Target } from './features/feature.ts'
import { ns } from './namespaces.ts'
import { refusal } from './stanza-errors.ts'
import { xml } from './xml/element.ts'
import type { XmlElement } from './xml/element.ts'

const refused: IqReply = { error: { condition: 'service-unavailable' } }

/**
 * Finds the feature that answers a request (RFC 6120 §8.2.3, §10.3.3, RFC 6121 §8.5). Every request gets exactly one
 * answer, every answer none.
 */
export function routeIq(context: ClientContext, iq: XmlElement): void {
  const { client } = context
  const type = iq.attribute('type')
  const target = targetOf(context, iq.attribute('to'))
  const isAnswer = type === 'result' || type === 'error'
  if (!isError(target) && target.kind === 'account' && target.resource !== undefined) {
    // Between the user's own clients.
    if (forwardToResource(context, target.resource, iq)) return
  }
  if (isAnswer) return
  const reply = isError(target) ? { error: target } : answer(context, target, iq, type)
  if ('error' in reply) return context.write(client, refusal(iq, client.address, reply.error))
  const attributes = {
    type: 'result',
    id: iq.attribute('id'),
    from: iq.attribute('to'),
    to: client.address
  }
  context.write(client, xml('iq', ns.client, attributes, reply.result))
  reply.afterwards?.()
}

function answer(
  context: ClientContext,
  target: Target,
  iq: XmlElement,
  type: string | undefined
): IqReply {
  const [payload, ...more] = iq.elements()
  const valid = (type === 'get' || type === 'set') && iq.attribute('id') !== undefined
  if (!valid || payload === undefined || more.length > 0) {
    return { error: { condition: 'bad-request' } }
  }
  if (target.kind === 'account' && target.resource !== undefined) return refused
  const handler = context.server.features
    .flatMap((feature) => feature.iq ?? [])
    .find(
      (candidate) =>
        candidate.type === type &&
        payload.is(candidate.name, candidate.namespace) &&
        candidate.targets.includes(target.kind)
    )
  return handler === undefined ? refused : handler.answer({ ...context, target }, payload)
}
