/*
 * Exactly-once delivery from one sender to one receiver over links that come and go, with crashes and a restore.
 *
 * Stands for: packages/shared/src/link/delivery.ts (DeliveryMachine) and packages/client/src/link/mailbox.ts (Mailbox:
 * what is on the disk, in which order effects are carried out, and when the way out is exchanged for that of a new link).
 *
 * Two links may be open at once; what is under way on a broken link still arrives, or a rest of it does not. A crash
 * leaves the disk and nothing else; it may come between any two effects.
 *
 * Assertions: a message is stored once and in the order of writing; what the sender takes for delivered is stored.
 * Property `arrives`: after finitely many faults every message that was taken from the user is stored and acknowledged.
 */

#ifndef MESSAGES
#define MESSAGES 3
#endif
#ifndef BREAKS
#define BREAKS 1            /* links that break */
#endif
#ifndef SWAPS
#define SWAPS 1             /* links that open beside one that is still open, and take its place */
#endif
#ifndef SENDER_CRASHES
#define SENDER_CRASHES 1
#endif
#ifndef RECEIVER_CRASHES
#define RECEIVER_CRASHES 1
#endif
#ifndef RESTORES
#define RESTORES 0          /* of the sender, from a backup of any earlier moment; at most 1 */
#endif

#define NONE 2              /* no link */
#define SIZE (MESSAGES + 1) /* messages and counters begin at 1 */

mtype = { UP, DOWN };

/* Sender: disk, memory, and the backup. */
bool waitsOnDisk[SIZE], waits[SIZE], waitsInBackup[SIZE];
byte counter[SIZE];
bit life[SIZE];                             /* the incarnation under which the message was written */
byte lastOnDisk, last, lastInBackup;
bit incarnation;
byte draft = 1;                              /* the message that the user writes now */
bool gone[SIZE];                            /* not taken from the user, or not in the backup that was restored */
bool backedUp, linked;
byte way = NONE;                            /* where `send` writes */
chan changes = [6] of { mtype, byte };      /* of links, in the sender's queue of work */

/* Receiver: disk and memory, by incarnation. */
bool stored[SIZE];
byte newest;                                /* message stored last */
byte countOnDisk[2], count[2];

/* Links. */
bool alive[2];
byte inUse = NONE;
byte awaited[2];                            /* changes to a link that the sender has not come to */
chan messages0 = [8] of { byte };
chan messages1 = [8] of { byte };
byte receipt[4];                            /* greatest one under way, per link and incarnation: they are cumulative */
byte breaks = BREAKS, swaps = SWAPS, senderCrashes = SENDER_CRASHES, receiverCrashes = RECEIVER_CRASHES, restores = RESTORES;

#define RECEIPT(l, lf) receipt[2 * (l) + (lf)]
#define NOTHING_UNDER_WAY(l) (RECEIPT(l, 0) == 0 && RECEIPT(l, 1) == 0 && \
  ((l) == 0 && len(messages0) == 0 || (l) == 1 && len(messages1) == 0))

inline write(message) {
  if
  :: way == 0 && alive[0] -> assert(nfull(messages0)); messages0!message
  :: way == 1 && alive[1] -> assert(nfull(messages1)); messages1!message
  :: else
  fi
}

inline linkUp(upLink) {
  inUse = upLink;
#ifdef WAY_BEFORE_ITS_TURN
  way = upLink;
#endif
  awaited[upLink]++;
  changes!UP, upLink
}

inline linkDown() {
  inUse = NONE;
#ifdef WAY_BEFORE_ITS_TURN
  way = NONE;
#endif
  changes!DOWN, NONE
}

/* The end of a process is the end of its links; what it has sent may still arrive. */
inline cut() { alive[0] = false; alive[1] = false; inUse = NONE }

inline loseMessages(dead) {
  if
  :: dead == 0 -> do :: messages0?_ :: empty(messages0) -> break od
  :: else -> do :: messages1?_ :: empty(messages1) -> break od
  fi
}

inline loseReceipts(deaf) { RECEIPT(deaf, 0) = 0; RECEIPT(deaf, 1) = 0 }

proctype Sender() {
  byte m, c, r, link;
  bit inc;
  mtype change;
work:
  do
  :: atomic { /* submit */
       draft < SIZE ->
       last++;
       m = draft; counter[m] = last; life[m] = incarnation; waits[m] = true
     };
     inc = linked;
#ifdef SEND_BEFORE_STORE
     if :: inc -> write(m) :: else fi;
#endif
     if
     :: atomic { senderCrashes > 0 -> senderCrashes--; gone[m] = true; draft++; goto crash } /* the user knows: not taken */
     :: true
     fi;
     atomic { waitsOnDisk[m] = true; lastOnDisk = last; draft++ };
     if :: senderCrashes > 0 -> senderCrashes--; goto crash :: true fi;
#ifndef SEND_BEFORE_STORE
     atomic { if :: inc -> write(m) :: else fi; m = 0; inc = 0 }
#endif
  :: atomic { changes?change, link ->
       linked = (change == UP);
       if :: linked -> awaited[link]-- :: else fi;
#ifndef WAY_BEFORE_ITS_TURN
       way = link;
#endif
#ifndef NO_REPEAT
#ifdef ROWS_BY_COUNTER
       c = 1;
       do
       :: c < SIZE && linked ->
          m = 1;
          do
          :: m < SIZE -> if :: waits[m] && counter[m] == c -> write(m) :: else fi; m++
          :: else -> break
          od;
          c++
       :: else -> break
       od;
#else
       m = 1;
       do
       :: m < SIZE && linked -> if :: waits[m] -> write(m) :: else fi; m++
       :: else -> break
       od;
#endif
#endif
       m = 0; c = 0; link = 0; change = 0
     }
  :: atomic { /* receipt */
       if
       :: RECEIPT(0, 0) > 0 -> inc = 0; r = RECEIPT(0, 0); RECEIPT(0, 0) = 0
       :: RECEIPT(0, 1) > 0 -> inc = 1; r = RECEIPT(0, 1); RECEIPT(0, 1) = 0
       :: RECEIPT(1, 0) > 0 -> inc = 0; r = RECEIPT(1, 0); RECEIPT(1, 0) = 0
       :: RECEIPT(1, 1) > 0 -> inc = 1; r = RECEIPT(1, 1); RECEIPT(1, 1) = 0
       fi;
       m = 1;
       do
       :: m < SIZE ->
          if
          :: waits[m] && life[m] == inc && counter[m] <= r -> waits[m] = false; assert(stored[m])
          :: else
          fi;
          m++
       :: else -> m = 0; break
       od
     };
     if :: senderCrashes > 0 -> senderCrashes--; goto crash :: true fi;
     atomic { /* forget-outgoing */
       m = 1;
       do
       :: m < SIZE -> if :: !waits[m] && m < draft -> waitsOnDisk[m] = false :: else fi; m++
       :: else -> m = 0; r = 0; inc = 0; break
       od
     }
  :: atomic { /* a backup */
       restores > 0 && !backedUp -> backedUp = true;
       lastInBackup = lastOnDisk;
       m = 1;
       do
       :: m < SIZE -> waitsInBackup[m] = waitsOnDisk[m]; m++
       :: else -> m = 0; break
       od
     }
  :: atomic { restores > 0 && backedUp -> restores--;
       loseMessages(0); loseMessages(1);
       m = 1;
       do
       :: m < SIZE ->
          gone[m] = gone[m] || m < draft && waitsOnDisk[m] && !waitsInBackup[m];
          waitsOnDisk[m] = waitsInBackup[m];
          waitsInBackup[m] = false;
          m++
       :: else -> m = 0; break
       od;
#ifdef SAME_INCARNATION
       lastOnDisk = lastInBackup;
#else
       lastOnDisk = 0; incarnation = 1;
#endif
       lastInBackup = 0;
       goto crash
     }
  od;
crash:
  atomic {
    cut(); loseReceipts(0); loseReceipts(1);
    way = NONE; linked = false; last = lastOnDisk;
    do :: changes?_, _ :: empty(changes) -> break od;
    awaited[0] = 0; awaited[1] = 0;
    m = 1;
    do
    :: m < SIZE -> waits[m] = waitsOnDisk[m]; m++
    :: else -> break
    od;
    m = 0; c = 0; r = 0; inc = 0; link = 0; change = 0;
    goto work
  }
}

proctype Receiver() {
  byte m, c;
  bit inc, isNew;
work:
  do
  :: atomic {
       if
       :: messages0?m
       :: messages1?m
       fi;
       inc = life[m]; c = counter[m];
       isNew = c > count[inc];
       if :: isNew -> count[inc] = c :: else fi
     };
#ifdef ACKNOWLEDGE_BEFORE_STORE
     atomic { if :: inUse != NONE -> RECEIPT(inUse, inc) = count[inc] :: else fi };
#endif
     if
     :: isNew ->
        if :: receiverCrashes > 0 -> receiverCrashes--; goto crash :: true fi;
#ifdef COUNTER_FIRST
        countOnDisk[inc] = c;
        if :: receiverCrashes > 0 -> receiverCrashes--; goto crash :: true fi;
#endif
        atomic {
          assert(m > newest);
          stored[m] = true; newest = m;
#ifndef MESSAGE_FIRST
          countOnDisk[inc] = c;
#endif
        };
#ifdef MESSAGE_FIRST
        if :: receiverCrashes > 0 -> receiverCrashes--; goto crash :: true fi;
        countOnDisk[inc] = c;
#endif
        if :: receiverCrashes > 0 -> receiverCrashes--; goto crash :: true fi
     :: else
     fi;
#ifndef ACKNOWLEDGE_BEFORE_STORE
     atomic { if :: inUse != NONE -> RECEIPT(inUse, inc) = count[inc] :: else fi };
#endif
     atomic { m = 0; c = 0; inc = 0; isNew = 0 }
  od;
crash:
  atomic {
    if :: inUse != NONE -> linkDown() :: else fi;
    cut(); loseMessages(0); loseMessages(1);
    count[0] = countOnDisk[0]; count[1] = countOnDisk[1];
    m = 0; c = 0; inc = 0; isNew = 0;
    goto work
  }
}

/* A slot stands for a new link only when nobody holds the old one any more. */
#define VACANT(l) (!alive[l] && NOTHING_UNDER_WAY(l) && way != (l) && awaited[l] == 0)

proctype Links() {
  byte l;
  do
  :: atomic {
       (inUse == NONE || swaps > 0) && (VACANT(0) || VACANT(1)) ->
       if
       :: VACANT(0) -> l = 0
       :: VACANT(1) -> l = 1
       fi;
       if :: inUse != NONE -> swaps-- :: else fi;
       alive[l] = true;
       linkUp(l);
       l = 0
     }
  :: atomic {
       breaks > 0 && (alive[0] || alive[1]) -> breaks--;
       if
       :: alive[0] -> l = 0
       :: alive[1] -> l = 1
       fi;
       alive[l] = false;
       if
       :: inUse == l && alive[1 - l] -> linkUp(1 - l)
       :: inUse == l && !alive[1 - l] -> linkDown()
       :: else
       fi;
       l = 0
     }
  :: atomic { !alive[0] && !NOTHING_UNDER_WAY(0) -> loseMessages(0); loseReceipts(0) }
  :: atomic { !alive[1] && !NOTHING_UNDER_WAY(1) -> loseMessages(1); loseReceipts(1) }
  od
}

init {
  atomic { run Sender(); run Receiver(); run Links() }
}

#if MESSAGES != 3
#error The property is written out for three messages.
#endif
#define ARRIVED(m) (stored[m] && !waitsOnDisk[m] || gone[m])

ltl arrives { <> [] (draft == SIZE && ARRIVED(1) && ARRIVED(2) && ARRIVED(3)) }
