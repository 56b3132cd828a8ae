/** One Promela model: with which bounds it must hold, and which changed rules it must find broken. */
export interface SpinModel {
  /** File in formal/spin. */
  readonly file: string
  /** What is proved, in words. */
  readonly property: string
  /** Whether the property needs weak fairness: every process that can go on goes on at some time. */
  readonly weakFairness?: true
  /** Macros of each run that must hold: the bounds. */
  readonly holds: readonly string[]
  /** Macros of each run that must fail: the bounds, then the rule that is left out or changed. */
  readonly fails: readonly string[]
}

/** The models; formal/README.md tells what each covers. */
export const spinModels: readonly SpinModel[] = [
  {
    file: 'link.pml',
    property: 'both sides settle on one link',
    holds: [
      'BREAKS=2 CRASHES=0',
      'BREAKS=0 CRASHES=2',
      'BREAKS=1 CRASHES=1',
      'BREAKS=0 CRASHES=0 LOGOUTS=1'
    ],
    fails: [
      'BREAKS=0 CRASHES=0 BOTH_DECIDE',
      'BREAKS=0 CRASHES=0 NEWEST_ON_BOTH_SIDES',
      'BREAKS=1 CRASHES=1 KEEP_THE_OLD',
      'BREAKS=1 CRASHES=0 NO_REDIAL',
      'BREAKS=0 CRASHES=0 LOGOUTS=1 STALE_BYE'
    ]
  },
  {
    file: 'invite.pml',
    property: 'at most one is accepted, and learns it',
    weakFairness: true,
    holds: ['LOSSES=2 CRASHES=1'],
    fails: [
      'ANSWER_BEFORE_COMMIT',
      'NOT_BOUND_TO_THE_KEY',
      'PENDING_NOT_STORED',
      'ANYONE_ACCEPTED',
      'COMMIT_IN_TWO_STEPS',
      'LOOK_THEN_COMMIT'
    ]
  },
  {
    file: 'invite-crossing.pml',
    property: 'crossing invites end with one secret',
    holds: ['LOSSES=2 CRASHES=1'],
    fails: ['FIRST_ONE_COUNTS', 'LAST_ONE_COUNTS', 'CONTACTS_STOP_RETRYING']
  },
  {
    file: 'delivery.pml',
    property: 'every message is stored once, in order, and acknowledged',
    holds: [
      'SENDER_CRASHES=0 RECEIVER_CRASHES=0',
      'SWAPS=0',
      'SWAPS=0 BREAKS=0 RECEIVER_CRASHES=0 RESTORES=1'
    ],
    fails: [
      'SWAPS=0 SENDER_CRASHES=0 ACKNOWLEDGE_BEFORE_STORE',
      'SWAPS=0 SENDER_CRASHES=0 MESSAGE_FIRST',
      'SWAPS=0 SENDER_CRASHES=0 COUNTER_FIRST',
      'SWAPS=0 SENDER_CRASHES=0 RECEIVER_CRASHES=0 NO_REPEAT',
      'SWAPS=0 BREAKS=0 RECEIVER_CRASHES=0 SEND_BEFORE_STORE',
      'BREAKS=0 SENDER_CRASHES=0 RECEIVER_CRASHES=0 WAY_BEFORE_ITS_TURN',
      'BREAKS=0 SWAPS=0 SENDER_CRASHES=0 RECEIVER_CRASHES=0 RESTORES=1 SAME_INCARNATION',
      'BREAKS=0 SWAPS=0 SENDER_CRASHES=0 RECEIVER_CRASHES=0 RESTORES=1 ROWS_BY_COUNTER'
    ]
  },
  {
    file: 'roots.pml',
    property: 'both sides always use a common root (level L1, planned)',
    weakFairness: true,
    holds: ['ROOTS=3', 'ROOTS=2 RESTORES=1'],
    fails: [
      'ROOTS=3 INSTALL_ON_MESSAGE_1',
      'ROOTS=3 PREVIOUS_IS_THE_OLD_CURRENT',
      'ROOTS=3 FORGET_AT_ONCE',
      'ROOTS=3 TWO_AT_ONCE',
      'ROOTS=2 RESTORES=1 NO_FALLBACK'
    ]
  }
]
