/** A volunteer's node of the Hushlamp registry: OpenDHT semantics over a libp2p Kademlia DHT. @packageDocumentation */
export const placeholderre: number = 1
