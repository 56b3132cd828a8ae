import { ns } from '../namespaces.ts'
import { xml } from '../xml/element.ts'
import type { XmlElement } from '../xml/element.ts'
import { contactIdentity, featuresOf, isCapabilitiesNode } from './capabilities.ts'
import type { IqContext, IqReply, Target, XmppFeature } from './feature.ts'

/** XEP-0030: says what there is. The list of features is that of `feature-list.ts`, so it cannot promise more. */
export const disco: XmppFeature = {
  title: 'XEP-0030 Service Discovery',
  disco: {
    server: [ns.discoInfo, ns.discoItems],
    account: [ns.discoInfo, ns.discoItems],
    contact: [ns.discoInfo, ns.discoItems]
  },
  iq: [
    {
      type: 'get',
      name: 'query',
      namespace: ns.discoInfo,
      targets: ['server', 'account', 'contact'],
      answer: info
    },
    {
      type: 'get',
      name: 'query',
      namespace: ns.discoItems,
      targets: ['server', 'account', 'contact'],
      answer: (_context, query) =>
        query.attribute('node') === undefined
          ? { result: xml('query', ns.discoItems) }
          : { error: { condition: 'item-not-found' } }
    }
  ]
}

function info({ server, target }: IqContext, query: XmlElement): IqReply {
  const node = query.attribute('node')
  if (node !== undefined && !(target.kind === 'contact' && isCapabilitiesNode(server, node))) {
    return { error: { condition: 'item-not-found' } }
  }
  return {
    result: xml(
      'query',
      ns.discoInfo,
      { node },
      identityOf(target),
      ...featuresOf(server, target.kind).map((name) => xml('feature', ns.discoInfo, { var: name }))
    )
  }
}

function identityOf(target: Target): XmlElement {
  if (target.kind === 'server') {
    return xml('identity', ns.discoInfo, { category: 'server', type: 'im', name: 'Hushlamp' })
  }
  return target.kind === 'contact' && target.resource !== undefined
    ? xml('identity', ns.discoInfo, contactIdentity)
    : xml('identity', ns.discoInfo, { category: 'account', type: 'registered' })
}
