/*
 * One link between two contacts: simultaneous dials, broken streams, crashes and logouts.
 *
 * Stands for: packages/client/src/link/contact-links.ts (dial, accept, #add, #ended, #decides), link-choice.ts
 * (choosesNewLink), packages/shared/src/link/link-machine.ts (phases), packages/client/src/endpoint.ts (#unlinked, #redial).
 *
 * Side 0 has the lower fingerprint: it alone decides between two established links. Side 1 uses the newest that it has.
 * Every stream is a slot with two ends and a queue in each direction; a queue keeps its order, but what is in it may be
 * lost when the stream breaks. Silence, time-outs and broken streams all look like FIN, which may come at any later time.
 *
 * Property `settles`: after finitely many faults both sides use the same link, and keep it, under every schedule: no state
 * without a link for ever, no lasting disagreement, no endless mutual drops. No fairness is assumed.
 */

#define SLOTS 4         /* streams at one time, dead ones that one side still believes in included */
#ifndef BREAKS
#define BREAKS 1        /* streams that break */
#endif
#ifndef CRASHES
#define CRASHES 1       /* crashes of either side; each comes back */
#endif
#ifndef LOGOUTS
#define LOGOUTS 0       /* logouts (bye) of either side; each comes back */
#endif
#define MOST_LINKS 3    /* maxLinksPerContact */

mtype = { MESSAGE2, GREETING, BYE, FIN };
mtype = { FREE, COMING, ACCEPTED, AWAITING2, CONFIRMING, OPEN };

mtype end[2 * SLOTS] = FREE;                    /* both ends of each stream */
bool outgoing[SLOTS];                           /* begun by side 1 (true) or by side 0 */
bool broken[SLOTS];                             /* nothing that is written arrives any more */
bool overlaps[2 * SLOTS];                       /* begun here before the link in use was established here */
chan to[2 * SLOTS] = [3] of { mtype };          /* what is under way to an end */
byte list[2 * SLOTS];                           /* established links of a side, oldest first */
byte links[2];                                  /* how many; the last one is in use */
bool up[2] = true;
bool quiet[2];                                  /* the contact has logged out: it is not dialled, it may dial */
byte breaks = BREAKS, crashes = CRASHES, logouts = LOGOUTS;

#define END(side, i)   end[2 * (i) + (side)]
#define TO(side, i)    to[2 * (i) + (side)]
#define LIST(side, at) list[SLOTS * (side) + (at)]
#define IN_USE(side)   LIST(side, links[side] - 1)
#define IS_FREE(i)     (END(0, i) == FREE && END(1, i) == FREE)
#define BEGAN(side, i) (outgoing[i] == (side))
#define DIALS(side, i) (END(side, i) == AWAITING2 && BEGAN(side, i))
#define AGREED         (up[0] && up[1] && links[0] > 0 && links[1] > 0 && IN_USE(0) == IN_USE(1))

#if defined(BOTH_DECIDE) || defined(NEWEST_ON_BOTH_SIDES)
#define DECIDES(side)  true
#else
#define DECIDES(side)  (side == 0)
#endif

/* choosesNewLink: (current, added) at a side that decides. */
#if defined(NEWEST_ON_BOTH_SIDES)
#define CHOOSES_NEW(side, i) true
#elif defined(KEEP_THE_OLD)
#define CHOOSES_NEW(side, i) false
#elif defined(BOTH_DECIDE)
#define CHOOSES_NEW(side, i) (!overlaps[2 * (i) + (side)] || outgoing[IN_USE(side)] == outgoing[i] || BEGAN(0, i))
#else
#define CHOOSES_NEW(side, i) (!overlaps[2 * (i) + (side)] || outgoing[IN_USE(side)] == outgoing[i] || BEGAN(side, i))
#endif

inline clear(cs, ci) {
  do
  :: TO(cs, ci)?_
  :: empty(TO(cs, ci)) -> break
  od
}

inline put(ps, pi, message) {
  if
  :: END(ps, pi) != FREE && !broken[pi] -> assert(nfull(TO(ps, pi))); TO(ps, pi)!message
  :: else
  fi
}

/* An end is gone; the other one hears of it some time, or from the silence. */
inline leave(vs, vi) {
  END(vs, vi) = FREE;
  overlaps[2 * (vi) + (vs)] = false;
  clear(vs, vi);
  if
  :: END(1 - (vs), vi) == COMING -> END(1 - (vs), vi) = FREE
  :: else -> put(1 - (vs), vi, FIN)
  fi;
  if
  :: IS_FREE(vi) -> broken[vi] = false; outgoing[vi] = false
  :: else
  fi
}

inline unlist(us, ui) {
  at = 0;
  do
  :: at < links[us] && LIST(us, at) != ui -> at++
  :: else -> break
  od;
  if
  :: at < links[us] ->
     links[us]--;
     do
     :: at < links[us] -> LIST(us, at) = LIST(us, at + 1); at++
     :: else -> LIST(us, at) = 0; break
     od
  :: else
  fi;
  at = 0
}

/* Ends all established links of a side but the newest `keep` ones. */
inline dropAllBut(ds, keep) {
  do
  :: links[ds] > keep -> other = LIST(ds, 0); unlist(ds, other); leave(ds, other)
  :: else -> break
  od;
  other = 0
}

/* ContactLinks.#add */
inline establish(es, ei) {
  END(es, ei) = OPEN;
  if
  :: links[es] > 0 && DECIDES(es) && !CHOOSES_NEW(es, ei) -> leave(es, ei)
  :: else ->
     if
     :: DECIDES(es) -> dropAllBut(es, 0)
     :: else -> dropAllBut(es, MOST_LINKS - 1)
     fi;
     LIST(es, links[es]) = ei;
     links[es]++;
     quiet[es] = false;
     if
     :: DECIDES(es) ->
        overlaps[2 * (ei) + (es)] = false;
        at = 0;
        do
        :: at < SLOTS ->
           if
           :: END(es, at) == AWAITING2 || END(es, at) == ACCEPTED || END(es, at) == CONFIRMING ->
              overlaps[2 * at + (es)] = true
           :: else
           fi;
           at++
        :: else -> at = 0; break
        od
     :: else
     fi
  fi
}

inline dial(dialler) {
  other = 0;
  do
  :: other < SLOTS && !IS_FREE(other) -> other++
  :: else -> break
  od;
  outgoing[other] = dialler;
  END(dialler, other) = AWAITING2;
  END(1 - (dialler), other) = COMING;
  other = 0
}

inline take(ts, ti, got) {
  if
  :: got == MESSAGE2 -> put(1 - (ts), ti, GREETING); establish(ts, ti)
  :: got == GREETING && END(ts, ti) == CONFIRMING -> put(1 - (ts), ti, GREETING); establish(ts, ti)
  :: got == GREETING && END(ts, ti) == OPEN
  :: got == FIN ->
     unlist(ts, ti);
     leave(ts, ti);
#ifdef NO_REDIAL
     quiet[ts] = true
#endif
  :: got == BYE ->
#ifdef STALE_BYE
     assert(IN_USE(ts) == ti || !AGREED);
#endif
     unlist(ts, ti);
     leave(ts, ti);
#ifndef BYE_ENDS_ONE_LINK
     dropAllBut(ts, 0);
#endif
     quiet[ts] = (links[ts] == 0)
  fi
}

#if SLOTS != 4
#error The options below are written out for four streams.
#endif
#define FREE_SLOT       (IS_FREE(0) || IS_FREE(1) || IS_FREE(2) || IS_FREE(3))
#define DIALLING(side)  (DIALS(side, 0) || DIALS(side, 1) || DIALS(side, 2) || DIALS(side, 3))
#define WANTS(side)     (up[side] && up[1 - side] && links[side] == 0 && !quiet[side] && !DIALLING(side))
#define READY(side, i)  (END(side, i) == COMING || END(side, i) == ACCEPTED || nempty(TO(side, i)))
#define BREAKABLE(i)    (!IS_FREE(i) && !broken[i])

proctype Side(bit me) {
  byte at, other, i;
  mtype what;
  do
  :: atomic { WANTS(me) && FREE_SLOT -> dial(me) }
  :: atomic {
       if
       :: READY(me, 0) -> i = 0
       :: READY(me, 1) -> i = 1
       :: READY(me, 2) -> i = 2
       :: READY(me, 3) -> i = 3
       fi;
       if
       :: END(me, i) == COMING -> END(me, i) = ACCEPTED
       :: END(me, i) == ACCEPTED -> END(me, i) = CONFIRMING; put(1 - me, i, MESSAGE2)
       :: nempty(TO(me, i)) -> TO(me, i)?what; take(me, i, what)
       fi;
       i = 0; what = 0
     }
  od
}

/* A crash or, with `bye`, a logout: everything in memory is gone. */
inline goDown(last) {
  if
  :: up[0] -> side = 0
  :: up[1] -> side = 1
  fi;
  links[side] = 0;
  i = 0;
  do
  :: i < SLOTS ->
     LIST(side, i) = 0;
     if
     :: END(side, i) == FREE
     :: last == BYE && (END(side, i) == CONFIRMING || END(side, i) == OPEN) ->
        put(1 - side, i, BYE);
        broken[i] = true;
        leave(side, i)
     :: else -> leave(side, i)
     fi;
     i++
  :: else -> break
  od;
  up[side] = false; quiet[side] = false; i = 0; side = 0
}

proctype Faults() {
  byte at, other, i;
  bit side;
  do
  :: atomic {
       breaks > 0 && (BREAKABLE(0) || BREAKABLE(1) || BREAKABLE(2) || BREAKABLE(3)) -> breaks--;
       if
       :: BREAKABLE(0) -> i = 0
       :: BREAKABLE(1) -> i = 1
       :: BREAKABLE(2) -> i = 2
       :: BREAKABLE(3) -> i = 3
       fi;
       if :: clear(0, i) :: skip fi;
       if :: clear(1, i) :: skip fi;
       if
       :: END(0, i) == COMING -> END(0, i) = FREE; put(1, i, FIN)
       :: END(1, i) == COMING -> END(1, i) = FREE; put(0, i, FIN)
       :: else -> put(0, i, FIN); put(1, i, FIN)
       fi;
       broken[i] = true;
       i = 0
     }
  :: atomic { crashes > 0 && (up[0] || up[1]) -> crashes--; goDown(FIN) }
  :: atomic { logouts > 0 && (up[0] || up[1]) -> logouts--; goDown(BYE) }
  :: atomic { !up[0] -> up[0] = true }
  :: atomic { !up[1] -> up[1] = true }
  od
}

init {
  atomic { run Side(0); run Side(1); run Faults() }
}

ltl settles { <> [] AGREED }
