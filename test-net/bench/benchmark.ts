/** What a benchmark found. */
export interface BenchmarkReport {
  /** Everything that was found, for other programs. */
  readonly findings: object
  /** The same to be read. */
  readonly markdown: string
  /** Whether every bar is reached. */
  readonly passed: boolean
}

/** Something that can be measured by its name. */
export interface Benchmark {
  readonly name: string
  /** What is measured, for `--help`. */
  readonly about: string
  /** Measures. `quick` takes seconds and says little; `progress` is told what is being measured. */
  run(init: {
    readonly quick: boolean
    readonly progress: (text: string) => void
  }): Promise<BenchmarkReport>
}
