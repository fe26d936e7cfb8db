/* A header of any bytes is read within its bounds; what was read is written so that it reads the same. */
#include <stdlib.h>
#include <string.h>

#include "dataplane/tcp/tcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_same(const struct tcp_seg *a, const struct tcp_seg *b)
{
	bool sack_goes = !(a->flags & TCP_SYN);
	if (!seq_eq(a->seq, b->seq) || !seq_eq(a->ack, b->ack) || a->flags != b->flags || a->window != b->window ||
		a->urgent != b->urgent || a->mss != b->mss || a->wscale != b->wscale ||
		a->sack_permitted != b->sack_permitted || b->sack_count != (sack_goes ? a->sack_count : 0) ||
		memcmp(a->sack, b->sack, b->sack_count * sizeof(a->sack[0])) || b->len)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tcp_seg seg, again;
	if (tcp_seg_parse(&seg, data, size))
		return 0;
	if (seg.data < data || seg.data + seg.len != data + size || seg.sack_count > TCP_SACK_BLOCKS)
		abort();
	uint8_t header[TCP_HEADER_MAX] = {0};
	bool all = seg.mss && seg.wscale != TCP_WSCALE_NONE && seg.sack_permitted && seg.sack_count;
	if (all && !(seg.flags & TCP_SYN))
		seg.sack_count = 1; /* no segment of ours has all of them */
	size_t len = tcp_seg_write(&seg, header);
	if (len > sizeof(header) || len % 4 || tcp_seg_parse(&again, header, len))
		abort();
	check_same(&seg, &again);
	return 0;
}
