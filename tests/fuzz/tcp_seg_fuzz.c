/* A header of any bytes is read within its bounds; what was read is written so that it reads the same. */
#include <stdlib.h>
#include <string.h>

#include "dataplane/tcp/tcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As many as fit beside the other options. */
static unsigned sack_count_written(const struct tcp_seg *seg)
{
	int others = (seg->mss ? 4 : 0) + (seg->sack_permitted ? 2 : 0) + (seg->wscale != TCP_WSCALE_NONE ? 3 : 0) +
		(seg->has_timestamps ? 12 : 0);
	int fit = (40 - others - 4) / 8;
	if (seg->flags & TCP_SYN)
		return 0;
	return fit < seg->sack_count ? (unsigned)fit : seg->sack_count;
}

static void check_same(const struct tcp_seg *a, const struct tcp_seg *b)
{
	if (!seq_eq(a->seq, b->seq) || !seq_eq(a->ack, b->ack) || a->flags != b->flags || a->window != b->window ||
		a->urgent != b->urgent || a->mss != b->mss || a->wscale != b->wscale ||
		a->sack_permitted != b->sack_permitted || a->has_timestamps != b->has_timestamps ||
		a->ts_val != b->ts_val || a->ts_ecr != b->ts_ecr || b->sack_count != sack_count_written(a) ||
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
	size_t len = tcp_seg_write(&seg, header);
	if (len > sizeof(header) || len % 4 || tcp_seg_parse(&again, header, len))
		abort();
	check_same(&seg, &again);
	return 0;
}
