/**
 * The one ambient name that the pure core needs: cancellation of a port's operation. Declared here because the core
 * is compiled without the types of Node and of the browser, where it exists as well.
 */
interface AbortSignal {
  readonly aborted: boolean
  readonly reason: unknown
  throwIfAborted(): void
}
