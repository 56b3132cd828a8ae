/** Length of a registry key: 160 bits, as in OpenDHT and in the paper, §V-C. */
export const keyBytes = 20

/**
 * Greatest length of a value: 1024 bits, the paper's figure (§V-C). OpenDHT itself allowed 1024 *bytes*; a private
 * network may configure its nodes up to {@link maxConfigurableValueBytes}.
 */
export const maxValueBytes = 128

/** What a private network may raise the length of values to: the limit of OpenDHT's own gateways. */
export const maxConfigurableValueBytes = 1024

/** Shortest time to live of a put. */
export const minTtlSeconds = 1

/** Longest time to live of a put: seven days, as in OpenDHT. */
export const maxTtlSeconds = 604_800

/** SHA-1 of a value or of a secret: identifies a put together with its key, as in OpenDHT. */
export const hashBytes = 20

/** Longest secret of a removable put, as in OpenDHT. */
export const maxSecretBytes = 40

/** A placemark is the value hash and secret hash of the last value of the page before. */
export const placemarkBytes = 40

/** Most values that one get may ask for. */
export const maxValuesPerGet = 256

/** Most values that one key may hold; further puts are refused, none is evicted. */
export const maxValuesPerKey = 64

/** Most owned values that one key may hold; plain values never take their place. */
export const maxOwnedValuesPerKey = 8
