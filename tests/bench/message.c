/* The message whose cost is measured; see stream.h. */
#include <stdio.h>
#include <string.h>

#include "tests/bench/stream.h"

void stream_message(const char *domain, const char *peer, char out[STREAM_MESSAGE_BYTES + 1])
{
	static const char text[] = "My ears have not yet drunk a hundred words of that tongue's utterance, yet I know the "
		"sound; ";
	size_t end = STREAM_MESSAGE_BYTES - strlen(STREAM_MESSAGE_END);
	size_t n = (size_t)snprintf(out, end, "<message from='juliet@%s/balcony' id='m1' to='romeo@%s/orchard' type='chat'>"
		"<body>", domain, peer);
	for (size_t i = 0; n < end; i++)
		out[n++] = text[i % (sizeof(text) - 1)];
	memcpy(out + end, STREAM_MESSAGE_END, sizeof(STREAM_MESSAGE_END));
}
