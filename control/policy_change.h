#ifndef CONTROL_POLICY_CHANGE_H
#define CONTROL_POLICY_CHANGE_H

struct control;

/*
 * Changes over to the policy of an image (conf_seal()), between two stanzas; sessions that could not be any more are
 * closed. 0; negative errno, and everything is as it was.
 */
int policy_change(struct control *control, int image) __attribute__((warn_unused_result, nonnull));

/* Another one was not taken: why is a text in this file, which is closed. */
void policy_refused(struct control *control, int text) __attribute__((nonnull));

#endif
