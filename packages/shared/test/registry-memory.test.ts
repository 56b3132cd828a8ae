import { MemoryRegistry, registrySuite, VirtualClock } from '../testing/index.ts'

registrySuite('the registry in memory', {
  async create() {
    const clock = new VirtualClock()
    return {
      registry: new MemoryRegistry({ clock }),
      unixSeconds: () => clock.unixSeconds(),
      advance: (seconds) => clock.advance(seconds * 1000)
    }
  }
})
