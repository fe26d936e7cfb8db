/* Slow requests; see slow.h. One thread: tokens do one thing at a time, too. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "dataplane/base/log.h"
#include "slow.h"

static struct keyd_request take(struct slow *slow)
{
	pthread_mutex_lock(&slow->lock);
	while (!slow->count)
		pthread_cond_wait(&slow->more, &slow->lock);
	struct keyd_request request = slow->waiting[slow->first];
	slow->first = (slow->first + 1) % SLOW_WAITING_MAX;
	slow->count--;
	pthread_mutex_unlock(&slow->lock);
	return request;
}

static void *serve_for_ever(void *arg)
{
	struct slow *slow = arg;
	struct keyd_answer answer;
	for (;;) {
		struct keyd_request request = take(slow);
		counter_add(slow->keyd->counters, KEYD_COUNT_SLOW, 1);
		if (keyd_serve(slow->keyd, &request, sizeof(request), &answer))
			fatalx("a request changed");   /* it was well-formed when it was added */
		slow->answer(&answer);
	}
	return NULL;
}

int slow_start(struct slow *slow, struct keyd *keyd, void (*answer)(const struct keyd_answer *answer))
{
	pthread_attr_t attributes;
	pthread_t thread;
	slow->keyd = keyd;
	slow->answer = answer;
	pthread_mutex_init(&slow->lock, NULL);
	pthread_cond_init(&slow->more, NULL);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, SLOW_STACK_BYTES);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	int rc = pthread_create(&thread, &attributes, serve_for_ever, slow);
	pthread_attr_destroy(&attributes);
	return -rc;
}

bool slow_add(struct slow *slow, const struct keyd_request *request)
{
	pthread_mutex_lock(&slow->lock);
	bool room = slow->count < SLOW_WAITING_MAX;
	if (room) {
		slow->waiting[(slow->first + slow->count) % SLOW_WAITING_MAX] = *request;
		slow->count++;
		pthread_cond_signal(&slow->more);
	}
	pthread_mutex_unlock(&slow->lock);
	return room;
}
