/** Gives Node.js 20 the Promise.withResolvers of ES2024, which libp2p needs. */
export function provideWithResolvers(): void {
  if ('withResolvers' in Promise) return
  Object.assign(Promise, { withResolvers })
}

function withResolvers<Value>(): Partial<PromiseWithResolvers<Value>> {
  const settle: Partial<PromiseWithResolvers<Value>> = {}
  settle.promise = new Promise<Value>((resolve, reject) => {
    settle.resolve = resolve
    settle.reject = reject
  })
  return settle
}
