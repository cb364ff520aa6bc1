/* A sealing round, written a second time and apart from the Go code: four sealers, of which one is faulty and does what it likes, together with a
 * party that does what it likes. One honest party has deposited with everybody. Time goes in steps of delta: step r is until D + r*delta.
 * What an honest sealer sends in one step arrives in that step or in the next, as the network likes; with -DLOSSY it may not arrive at all.
 *
 *   spin -a round.pml && cc -DSAFETY -o pan pan.c && ./pan        no error
 *   spin -DNOCREDIT ... | -DCAPPED ... | -DSILENT ...             each violates the assertion: the rule broken in one place
 */

#define F 1
#define HONEST 3              /* 3F+1 sealers, less the faulty one */
#define STEPS 3               /* until D, D+delta, D+2*delta; then all decide */
#define QUORUM 3              /* n-f */

bool consents[HONEST];        /* holds those of all parties */
bool liar[HONEST];            /* holds the word of the faulty sealer */
bool word[9];                 /* word[i*HONEST+j]: i holds the word of j */
bool accepted[HONEST];
byte when[HONEST];            /* the step in which it accepted */
byte r;                       /* the step */

inline accept(i) {
	words = liar[i] + word[i*HONEST] + word[i*HONEST+1] + word[i*HONEST+2];
#ifdef NOCREDIT
	credit = 0;
#else
#ifdef CAPPED
	credit = (words < F -> words : F);
#else
	credit = (words < F+1 -> words : F+1);
#endif
#endif
	if
	:: !accepted[i] && consents[i] && r <= credit -> accepted[i] = true; when[i] = r
	:: else
	fi
}

inline arrive(i, j) {         /* what j sends when it has accepted: the consents, its own word, the words that it holds */
	consents[i] = true;
	word[i*HONEST+j] = true;
	liar[i] = liar[i] || liar[j];
	accept(i)
}

active proctype world() {
	byte i, j, words, credit, in_force, lapsed;
	do
	:: r < STEPS ->
		d_step { i = 0; j = 0 }
#ifndef SILENT
		/* What was sent in an earlier step is there by now. */
		do
		:: i < HONEST ->
			j = 0;
			do
			:: j < HONEST ->
				if
				:: i != j && accepted[j] && when[j] < r && !word[i*HONEST+j] ->
#ifdef LOSSY
					if
					:: arrive(i, j)
					:: skip
					fi
#else
					arrive(i, j)
#endif
				:: else
				fi;
				j++
			:: else -> break
			od;
			i++
		:: else -> break
		od;
#endif
		/* The adversary, and what arrives at once: anything, in any order, as often as it likes. */
		do
		:: select(i : 0 .. 2) ->
			if
			:: !consents[i] -> consents[i] = true; accept(i)
			:: !consents[i] || !liar[i] -> consents[i] = true; liar[i] = true; accept(i)
#ifndef SILENT
			:: accepted[0] && i != 0 && !word[i*HONEST] -> arrive(i, 0)
			:: accepted[1] && i != 1 && !word[i*HONEST+1] -> arrive(i, 1)
			:: accepted[2] && i != 2 && !word[i*HONEST+2] -> arrive(i, 2)
#endif
			:: else -> skip
			fi
		:: break
		od;
		r++
	:: else -> break
	od;
	/* The faulty sealer signs both decisions. */
	in_force = 1 + accepted[0] + accepted[1] + accepted[2];
	lapsed = 1 + !accepted[0] + !accepted[1] + !accepted[2];
	assert(!(in_force >= QUORUM && lapsed >= QUORUM));          /* F3: never both */
#ifndef LOSSY
	assert(accepted[0] == accepted[1] && accepted[1] == accepted[2]) /* F4: the honest ones say the same */
#endif
}
