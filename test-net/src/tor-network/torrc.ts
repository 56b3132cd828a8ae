/** Where one relay of the network listens. */
export interface RelayPorts {
  /** The port that others dial. */
  readonly advertised: number
  /** The port that Tor listens on, another one where links are delayed on the way. */
  readonly listening: number
}

/** What the configuration of a relay is made from. */
export interface RelayConfiguration {
  readonly nickname: string
  readonly directory: string
  /** IPv4 address to listen on and to be known by. */
  readonly host: string
  readonly ports: RelayPorts
  /** `DirAuthority` lines of the network. */
  readonly authorities: readonly string[]
}

/** What only the authority has. */
export interface AuthorityConfiguration {
  readonly directoryPort: number
  /** Seconds after the start of each {@link initialVotingSeconds} at which a first vote would end. */
  readonly votingOffsetSeconds: number
}

/** The interval of votes until there is a consensus. Long, so that the clock starts no vote before all relays are known. */
export const initialVotingSeconds = 300

/** Lines for every Tor that belongs to the network, relay or client. */
export function networkLines(authorities: readonly string[]): string[] {
  return [
    'TestingTorNetwork 1',
    'PathsNeededToBuildCircuits 0.67',
    // What is learned from circuits of a few milliseconds would time out the first slow one.
    'LearnCircuitBuildTimeout 0',
    'CircuitBuildTimeout 20',
    'GeoIPFile /dev/null',
    'GeoIPv6File /dev/null',
    ...authorities
  ]
}

/** The configuration of a relay, which is the authority where `authority` is given. */
export function relayLines(
  relay: RelayConfiguration,
  authority?: AuthorityConfiguration
): string[] {
  const { host, ports, directory } = relay
  const delayed = ports.advertised !== ports.listening
  return [
    ...networkLines(relay.authorities),
    `Nickname ${relay.nickname}`,
    `Address ${host}`,
    `DataDirectory ${directory}`,
    `Log notice file ${directory}/log`,
    `ControlSocket ${directory}/control`,
    'CookieAuthentication 1',
    'SocksPort 0',
    'SafeLogging 0',
    'AvoidDiskWrites 1',
    'ShutdownWaitLength 0',
    'NumCPUs 1',
    ...(delayed
      ? [
          `ORPort ${host}:${ports.advertised} IPv4Only NoListen`,
          `ORPort ${host}:${ports.listening} IPv4Only NoAdvertise`
        ]
      : [`ORPort ${host}:${ports.listening} IPv4Only`]),
    'AssumeReachable 1',
    'ExitRelay 1',
    // The short form of the policy in microdescriptors leaves private addresses out: less would look like no exit.
    'ExitPolicy accept *:*',
    'ServerDNSResolvConfFile /dev/null',
    'ServerDNSDetectHijacking 0',
    'ServerDNSTestAddresses',
    ...(authority === undefined ? [] : authorityLines(host, authority))
  ]
}

function authorityLines(host: string, authority: AuthorityConfiguration): string[] {
  return [
    `DirPort ${host}:${authority.directoryPort}`,
    'AuthoritativeDirectory 1',
    'V3AuthoritativeDirectory 1',
    'ContactInfo nobody@example.invalid',
    'TestingDirAuthVoteExit *',
    'TestingDirAuthVoteHSDir *',
    'TestingMinExitFlagThreshold 0',
    `TestingV3AuthInitialVotingInterval ${initialVotingSeconds}`,
    'TestingV3AuthInitialVoteDelay 2',
    'TestingV3AuthInitialDistDelay 2',
    `TestingV3AuthVotingStartOffset ${authority.votingOffsetSeconds}`,
    // One consensus lasts the whole test: no change of keys and time periods in the middle.
    'V3AuthVotingInterval 3600',
    'V3AuthVoteDelay 2',
    'V3AuthDistDelay 2',
    'V3AuthNIntervalsValid 24'
  ]
}
