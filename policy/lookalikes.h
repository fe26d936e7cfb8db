/* Characters that people take for another one (UTS 39). */
#ifndef POLICY_LOOKALIKES_H
#define POLICY_LOOKALIKES_H

#include <unitypes.h>

/* The small letter or digit of ASCII that a character beyond ASCII looks like; 0: none. */
char lookalike(ucs4_t c);

#endif
