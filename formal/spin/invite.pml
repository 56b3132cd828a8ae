/*
 * An invite is used once: an inviter A, two who hold the link, crashes at any point, lost messages.
 *
 * Stands for: the design of the invite (docs: "Invite", XKpsk0). The code is not written yet; this is the rule it is to keep.
 * B stores the invite as pending before message 3. A commits the contact and "used by this key" in one batch before it
 * answers; the same key gets the same answer again; everyone else is dropped. The answer makes a contact of what pends.
 *
 * Assertions: never two accepted; whoever counts A as a contact is A's contact. Property `learnt` (weak fairness): before
 * expiry and while retrying, the one whom A has committed learns it.
 */

#ifndef LOSSES
#define LOSSES 2
#endif
#ifndef CRASHES
#define CRASHES 1       /* of each side */
#endif

#define NOBODY 2

byte usedBy = NOBODY;               /* A's disk */
bool contactOfA[2];
bool pending[2], contact[2];        /* disk of each holder */
bool knows[2] = true;               /* the link is at hand: in memory or on the disk */
chan message3[2] = [1] of { bit };
chan accepted[2] = [1] of { bit };
byte losses = LOSSES;

#define ONE_ACCEPTED (!(contactOfA[0] && contactOfA[1]) && !(contact[0] && contact[1]))

#define MAY_CRASH if :: crashes > 0 -> crashes--; goto crash :: true fi
#define ANSWER    atomic { if :: empty(accepted[s]) -> accepted[s]!0 :: nempty(accepted[s]) fi }

/* A's side of the handshakes with one key; those with different keys run at the same time on the same disk. */
proctype Inviter(bit s) {
  byte crashes = CRASHES;
work:
  do
  :: message3[s]?_ ->
     if
#if defined(ANYONE_ACCEPTED)
     :: true ->
        atomic { usedBy = s; contactOfA[s] = true; assert(ONE_ACCEPTED) };
        ANSWER
#elif defined(ANSWER_BEFORE_COMMIT)
     :: usedBy == NOBODY ->
        ANSWER;
        MAY_CRASH;
        atomic { usedBy = s; contactOfA[s] = true; assert(ONE_ACCEPTED) }
#elif defined(LOOK_THEN_COMMIT)
     :: usedBy == NOBODY ->
        atomic { usedBy = s; contactOfA[s] = true; assert(ONE_ACCEPTED) };
        ANSWER
#elif defined(COMMIT_IN_TWO_STEPS)
     :: atomic { usedBy == NOBODY -> usedBy = s };
        MAY_CRASH;
        contactOfA[s] = true;
        ANSWER
#else
     :: atomic { usedBy == NOBODY -> usedBy = s; contactOfA[s] = true; assert(ONE_ACCEPTED) };
        MAY_CRASH;
        ANSWER
#endif
#ifndef NOT_BOUND_TO_THE_KEY
     :: usedBy == s -> ANSWER
#endif
     :: else
     fi
  od;
crash:
  goto work
}

proctype Holder(bit me) {
  byte crashes = CRASHES;
work:
  do
  :: knows[me] && !contact[me] && empty(message3[me]) && empty(accepted[me]) ->
#ifndef PENDING_NOT_STORED
     pending[me] = true;
     MAY_CRASH;
#endif
     message3[me]!0;
     MAY_CRASH
  :: accepted[me]?_ ->
     MAY_CRASH;
     if
     :: atomic { knows[me] && !contact[me] -> contact[me] = true; assert(ONE_ACCEPTED); assert(contactOfA[me]) }
     :: !knows[me] || contact[me]
     fi
  od;
crash:
  /* What the user has typed in is forgotten; what pends is tried again. */
  atomic { knows[me] = pending[me]; goto work }
}

/* Everything under way can be lost; an answer to a process that is gone is lost too. */
proctype Network() {
  do
  :: atomic { losses > 0 && nempty(message3[0]) -> message3[0]?_; losses-- }
  :: atomic { losses > 0 && nempty(message3[1]) -> message3[1]?_; losses-- }
  :: atomic { losses > 0 && nempty(accepted[0]) -> accepted[0]?_; losses-- }
  :: atomic { losses > 0 && nempty(accepted[1]) -> accepted[1]?_; losses-- }
  od
}

/* Time goes on: no run of the model ends. */
bit clock;

proctype Time() {
  do
  :: clock == 0 -> clock = 1
  :: clock == 1 -> clock = 0
  od
}

init {
  atomic { run Time(); run Inviter(0); run Inviter(1); run Holder(0); run Holder(1); run Network() }
}

#define LEARNT (usedBy == NOBODY && !knows[0] && !knows[1] || usedBy == 0 && contact[0] || usedBy == 1 && contact[1])

ltl learnt { <> [] LEARNT }
