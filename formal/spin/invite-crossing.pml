/*
 * Two invites cross: A accepts B's while B accepts A's. Both must end with the same secret in the root of the pair.
 *
 * Stands for: the design of the invite ("of two crossing invites the lower fingerprint's secret counts"). The code is not
 * written yet; this is the rule it is to keep: a side goes on with what pends even if the other invite has made a contact
 * of it meanwhile, and of the secrets that it has seen committed the one of the lower fingerprint (side 0) counts.
 *
 * Property `same`: both sides end with the same secret.
 */

#ifndef LOSSES
#define LOSSES 2
#endif
#ifndef CRASHES
#define CRASHES 1
#endif

#define NO_SECRET 2

/* Secret n is that of the invite of side n. On the disk of each side: */
bool pending[2];                    /* the other one's invite, which we want to use */
byte secret[2] = NO_SECRET;         /* of the contact; none: not a contact */
bool used[2];                       /* our invite was used */
bool knows[2] = true;
chan message3[2] = [1] of { bit };  /* to a side */
chan accepted[2] = [1] of { bit };
byte losses = LOSSES;

inline commit(who, which) {
#if defined(FIRST_ONE_COUNTS)
  if :: secret[who] == NO_SECRET -> secret[who] = which :: else fi
#elif defined(LAST_ONE_COUNTS)
  secret[who] = which
#else
  if :: secret[who] == NO_SECRET || which == 0 -> secret[who] = which :: else fi
#endif
}

proctype Side(bit me) {
  byte crashes = CRASHES;
  bool answered;
  do
  :: message3[me]?_ ->
     atomic { commit(me, me); used[me] = true };
     if
     :: crashes > 0 -> crashes--
     :: true -> atomic { if :: empty(accepted[1 - me]) -> accepted[1 - me]!0 :: nempty(accepted[1 - me]) fi }
     fi
#ifdef CONTACTS_STOP_RETRYING
  :: knows[me] && secret[me] == NO_SECRET && empty(message3[1 - me]) && empty(accepted[me]) ->
#else
  :: knows[me] && !answered && empty(message3[1 - me]) && empty(accepted[me]) ->
#endif
     pending[me] = true;
     message3[1 - me]!0
  :: accepted[me]?_ ->
     if
     :: crashes > 0 -> crashes--
     :: true -> atomic { commit(me, 1 - me); answered = true; pending[me] = false }
     fi
  od
}

proctype Network() {
  do
  :: atomic { losses > 0 && nempty(message3[0]) -> message3[0]?_; losses-- }
  :: atomic { losses > 0 && nempty(message3[1]) -> message3[1]?_; losses-- }
  :: atomic { losses > 0 && nempty(accepted[0]) -> accepted[0]?_; losses-- }
  :: atomic { losses > 0 && nempty(accepted[1]) -> accepted[1]?_; losses-- }
  od
}

init {
  atomic { run Side(0); run Side(1); run Network() }
}

ltl same { <> [] (secret[0] == secret[1] && secret[0] != NO_SECRET) }
