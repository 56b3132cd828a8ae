/*
 * The roots of level L1 (docs/protocol.md, section 19): each handshake gives both sides a new root, and they must never be left
 * without one that both use. Messages are lost, and sides give up, at any point.
 *
 * Stands for: the design of L1. There is no code yet.
 *
 * Property `share`: there is always a root that both publish and look up under. With RESTORES a side may come back once with
 * nothing but the static root 0; then such a root is found again and again, with weak fairness.
 */

#ifndef ROOTS
#define ROOTS 4                     /* that handshakes make, besides root 0 */
#endif
#ifndef RESTORES
#define RESTORES 0
#endif

#define NONE 255

/* On the disk of each side: */
byte current[2];
byte previous[2] = NONE;
bool fallback[2];                   /* after empty epochs: also uses root 0 */
/* In memory: */
byte session[2];                    /* the root that is being made; 0: none */
byte made;

#define USES(side, root) (current[side] == root || previous[side] == root || (fallback[side] && root == 0))
#define SHARED (USES(1, current[0]) || (previous[0] != NONE && USES(1, previous[0])) || (fallback[0] && USES(1, 0)))

#ifdef TWO_AT_ONCE
#define FREE(side) true
#define TAKES_PART(side) true
#else
#define FREE(side) (session[side] == 0)
#define TAKES_PART(side) (session[side] == fresh)
#endif

inline install(side) {
#if defined(PREVIOUS_IS_THE_OLD_CURRENT)
  previous[side] = current[side];
#elif defined(FORGET_AT_ONCE)
  previous[side] = NONE;
#else
  previous[side] = under;
#endif
  current[side] = fresh
}

inline confirm(side) {
  if
  :: current[side] == fresh -> previous[side] = NONE; fallback[side] = false
  :: else
  fi
}

proctype Handshakes() {
  byte under, fresh;
  bit me;
  do
  :: made < ROOTS ->
     /* Message 1. */
     atomic {
       if :: me = 0 :: me = 1 fi;
       if :: under = current[me] :: previous[me] != NONE -> under = previous[me] :: fallback[me] -> under = 0 fi;
       if
       :: FREE(me) && made < ROOTS -> made++; fresh = made; session[me] = fresh
       :: else -> goto next
       fi
     };
     /* Its mark is recognised. */
     atomic { if :: FREE(1 - me) && USES(1 - me, under) -> session[1 - me] = fresh :: else -> goto over fi };
#ifndef INSTALL_ON_MESSAGE_1
     /* Message 2 arrives: an initiator that still waits for it sends `root`. */
     atomic { if :: TAKES_PART(me) && USES(me, under) :: else -> goto over fi };
#endif
     /* The responder stores, and answers with `root`. */
     atomic { if :: TAKES_PART(1 - me) && USES(1 - me, under) -> install(1 - me) :: else -> goto over fi };
     /* The initiator stores, has seen the peer under the new root, and sends `rootInstalled`. */
     atomic { if :: TAKES_PART(me) && USES(me, under) -> install(me); confirm(me) :: else -> goto over fi };
     atomic { if :: TAKES_PART(1 - me) -> confirm(1 - me) :: else fi };
over:
     atomic {
       if :: session[me] == fresh -> session[me] = 0 :: else fi;
       if :: session[1 - me] == fresh -> session[1 - me] = 0 :: else fi
     };
next:
     skip
  :: made == ROOTS -> break
  od
}

/* A lost message or a side that waits no longer. */
proctype Losses() {
end:
  do
  :: atomic { session[0] != 0 -> session[0] = 0 }
  :: atomic { session[1] != 0 -> session[1] = 0 }
  od
}

proctype Restore() {
  bit side;
  if :: side = 0 :: side = 1 fi;
  atomic { current[side] = 0; previous[side] = NONE; fallback[side] = true; session[side] = 0 }
}

/* Six empty epochs have gone by. */
proctype EmptyEpochs() {
end:
  do
  :: atomic { !SHARED -> fallback[0] = true; fallback[1] = true }
  od
}

init {
  atomic {
    run Handshakes();
    run Handshakes();
    run Losses();
#if RESTORES
    run Restore();
#ifndef NO_FALLBACK
    run EmptyEpochs()
#endif
#endif
  }
}

#if RESTORES
ltl share { [] <> SHARED }
#else
ltl share { [] SHARED }
#endif
