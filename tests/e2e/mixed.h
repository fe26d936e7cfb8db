/*
 * A stream that carries all kinds of stanzas in both directions at once (XEP-0288): messages of several sizes, presence, iq
 * requests, results and errors, and now and then a message with the word "nightingale", which the guard has to refuse. Both
 * ends know what the other sends, to the byte: what arrives must be that, in its order, without the refused ones, and the
 * sender of each refused one must be told, in their order too.
 */
#ifndef TESTS_E2E_MIXED_H
#define TESTS_E2E_MIXED_H

#include "tests/bench/stream.h"

/*
 * Sends `count` stanzas and takes as many. The dialling end rests after the first `first` of them: it says "at NUMBER" (of
 * both directions) and waits for a line on its input; in the end it says "mixed SENT TAKEN REFUSED TOLD BYTES", which were
 * taken. False: the stream is broken, and it has said why.
 */
bool mixed_dial(struct end *e, unsigned long count, unsigned long first);

/* The same for the end that is dialled, which does not rest. */
bool mixed_answer(struct end *e, unsigned long count);

#endif
