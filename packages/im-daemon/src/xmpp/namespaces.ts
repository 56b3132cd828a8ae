/** XML namespaces of the protocols spoken here, under the names their specifications use. */
export const ns = {
  /** RFC 6120 §4.8.2 */
  stream: 'http://etherx.jabber.org/streams',
  /** RFC 6120 §4.8.3 */
  client: 'jabber:client',
  /** RFC 6120 §4.9.2 */
  streamErrors: 'urn:ietf:params:xml:ns:xmpp-streams',
  /** RFC 6120 §8.3.2 */
  stanzaErrors: 'urn:ietf:params:xml:ns:xmpp-stanzas',
  /** RFC 6120 §5 */
  tls: 'urn:ietf:params:xml:ns:xmpp-tls',
  /** RFC 6120 §6 */
  sasl: 'urn:ietf:params:xml:ns:xmpp-sasl',
  /** RFC 6120 §7 */
  bind: 'urn:ietf:params:xml:ns:xmpp-bind',
  /** RFC 3921 §3, kept for old clients */
  session: 'urn:ietf:params:xml:ns:xmpp-session',
  /** RFC 6121 §2 */
  roster: 'jabber:iq:roster',
  /** RFC 6121 §2.6 */
  rosterVersioning: 'urn:xmpp:features:rosterver',
  /** XEP-0030 */
  discoInfo: 'http://jabber.org/protocol/disco#info',
  discoItems: 'http://jabber.org/protocol/disco#items',
  /** XEP-0049 */
  privateXml: 'jabber:iq:private',
  /** XEP-0054 */
  vcard: 'vcard-temp',
  /** XEP-0092 */
  version: 'jabber:iq:version',
  /** XEP-0115 */
  capabilities: 'http://jabber.org/protocol/caps',
  /** XEP-0184 */
  receipts: 'urn:xmpp:receipts',
  /** XEP-0199 */
  ping: 'urn:xmpp:ping',
  /** XEP-0202 */
  time: 'urn:xmpp:time',
  /** XEP-0203 */
  delay: 'urn:xmpp:delay'
} as const
