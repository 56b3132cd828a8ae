import { keywordArguments } from './control-text.ts'
import type { TorStatus } from './tor-provider.ts'

/** How far Tor has come, gathered from GETINFO and from STATUS_CLIENT events. */
export interface BootstrapState {
  /** Percent. */
  readonly progress: number
  readonly summary: string
  /** Whether Tor has a circuit that works. */
  readonly circuits: boolean
}

/** Nothing heard yet. */
export const initialBootstrap: BootstrapState = {
  progress: 0,
  summary: 'Starting',
  circuits: false
}

/**
 * The state after the text of a STATUS_CLIENT event without that word, or after the value of `status/bootstrap-phase`,
 * which has the same form (control-spec §4.1.10). What it does not know changes nothing.
 */
export function afterClientStatus(state: BootstrapState, text: string): BootstrapState {
  const action = text.split(' ')[1]
  if (action === 'CIRCUIT_ESTABLISHED') return { ...state, circuits: true }
  if (action === 'CIRCUIT_NOT_ESTABLISHED') return { ...state, circuits: false }
  if (action !== 'BOOTSTRAP') return state
  const known = keywordArguments(text)
  const progress = Number(known.get('PROGRESS'))
  if (!Number.isInteger(progress) || progress < 0 || progress > 100) return state
  const warning = known.get('WARNING')
  const summary = known.get('SUMMARY') ?? state.summary
  return {
    ...state,
    progress,
    summary: warning === undefined ? summary : `${summary} (${warning})`
  }
}

/** Ready is only who has come to 100 percent *and* has a circuit. */
export function bootstrapStatus(state: BootstrapState): TorStatus {
  if (state.progress < 100) {
    return { phase: 'starting', progress: state.progress, summary: state.summary }
  }
  if (state.circuits) return { phase: 'ready' }
  return { phase: 'starting', progress: 100, summary: 'Waiting for a circuit' }
}
