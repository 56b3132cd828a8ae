import { hex } from '@hushlamp/shared'

import { ns } from '../namespaces.ts'
import { xml } from '../xml/element.ts'
import type { XmlElement } from '../xml/element.ts'
import { contactFullAddress } from './addressing.ts'
import { tellClientOf } from './fate.ts'
import type { XmppFeature } from './feature.ts'

/**
 * XEP-0184: a client that asks for it is told when the contact's daemon has a message. The receipt speaks for the other
 * computer, not for the person; the contact's clients are not asked and learn nothing of it.
 */
export const receipts: XmppFeature = {
  title: 'XEP-0184 Message Delivery Receipts',
  disco: { contact: [ns.receipts] },
  messageDelivered: (context, { to, id, receiptRequested }, sent) => {
    const requested = sent === undefined ? receiptRequested : sent.receiptRequested
    const receiptFor = sent === undefined ? id : sent.stanzaId
    if (!requested || receiptFor === undefined) return
    const from = contactFullAddress(context, to)
    const stanzaId = `receipt-${hex(context.server.random.bytes(6))}`
    tellClientOf(
      context,
      sent,
      xml(
        'message',
        ns.client,
        { from, type: 'chat', id: stanzaId },
        xml('received', ns.receipts, { id: receiptFor })
      )
    )
  }
}

/** Whether a message asks for a receipt; without an id there is nothing that one could refer to (XEP-0184 §5). */
export function requestsReceipt(message: XmlElement): boolean {
  return (
    message.child('request', ns.receipts) !== undefined && message.attribute('id') !== undefined
  )
}
