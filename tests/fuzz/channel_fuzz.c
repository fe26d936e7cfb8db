/*
 * What the other end of a channel may write: the first byte says how many dispatches, then come an 8-byte head index
 * and the bytes of the ring. A receiver must either take messages that keep their verb's promises or call it broken.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/base/channel_ring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	uint64_t bytes;
	unsigned sum;                  /* so that every payload byte is really read */
};

static unsigned find(void *owner, uint64_t conn, void **object)
{
	*object = owner;
	return conn & 3;
}

static int take(void *owner, void *conn, const struct channel_msg *msg, const uint8_t *payload)
{
	struct seen *seen = owner;
	if (conn != owner || msg->side >= SIDES || msg->length > CHANNEL_PAYLOAD_MAX || (msg->conn & 3) == 3)
		abort();
	for (uint32_t i = 0; i < msg->length; i++)
		seen->sum += payload[i];
	seen->bytes += message_bytes(msg->length);
	return 0;
}

static const struct channel_verb verbs[MSG_TYPES] = {
	[MSG_OPENED] = {48, 48, 1, take},
	[MSG_BYTES] = {1, CHANNEL_PAYLOAD_MAX, 2, take},
	[MSG_CREDIT] = {4, 4, 6, take},
	[MSG_CLOSED] = {0, 0, 7, take},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct channel_fds fds;
	struct ring_map up;
	uint64_t head;
	if (size < 1 + sizeof(head) || size > CHANNEL_RING_BYTES)
		return 0;
	if (channel_create(&fds) || ring_map(&up, fds.memory, RING_UP))
		abort();
	memcpy(&head, data + 1, sizeof(head));
	memcpy(up.bytes, data + 1 + sizeof(head), size - 1 - sizeof(head));
	atomic_store(&up.indexes->head, head);
	struct channel *ch = channel_attach(fds, CHANNEL_UPPER);
	if (!ch)
		abort();
	struct seen seen = {.bytes = 0};
	struct channel_receiver receiver = {verbs, find, &seen};
	for (unsigned i = 0; i < data[0] % 16u; i++)
		if (channel_dispatch(ch, &receiver, data[0]) == -EPROTO && !channel_broken(ch))
			abort();
	if (seen.bytes > head || (!channel_broken(ch) && atomic_load(&up.indexes->tail) != seen.bytes))
		abort();
	channel_free(ch);
	ring_unmap(&up);
	return 0;
}
