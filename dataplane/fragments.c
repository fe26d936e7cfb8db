/* Fragments; see fragments.h. */
#include <stdlib.h>
#include <sys/random.h>

#include <rte_jhash.h>
#include <rte_mbuf.h>

#include "bridge.h"
#include "checksum.h"
#include "emit.h"
#include "fragments.h"

enum { DATAGRAM_BYTES_MAX = 65535, FRAGMENT_UNIT = 8, FRAGMENT_HEADER_BYTES = 8, JOIN_CYCLES = 1 };
static_assert((FRAGMENTS_DATAGRAMS & (FRAGMENTS_DATAGRAMS - 1)) == 0, "a hash is cut to it");

/* --- the table --- */

struct fragments *fragments_new(void)
{
	struct fragments *fragments = calloc(1, sizeof(*fragments));
	if (!fragments)
		return NULL;
	TAILQ_INIT(&fragments->idle);
	TAILQ_INIT(&fragments->known);
	fragments->datagrams = calloc(FRAGMENTS_DATAGRAMS, sizeof(fragments->datagrams[0]));
	fragments->table = rte_ip_frag_table_create(1, 16, 16, JOIN_CYCLES, SOCKET_ID_ANY);
	if (!fragments->datagrams || !fragments->table ||
		getrandom(&fragments->seed, sizeof(fragments->seed), 0) != sizeof(fragments->seed)) {
		fragments_free(fragments);
		return NULL;
	}
	for (unsigned i = 0; i < FRAGMENTS_DATAGRAMS; i++)
		TAILQ_INSERT_TAIL(&fragments->idle, &fragments->datagrams[i], order);
	return fragments;
}

void fragments_free(struct fragments *fragments)
{
	if (!fragments)
		return;
	if (fragments->table)
		rte_ip_frag_table_destroy(fragments->table);
	free(fragments->datagrams);
	free(fragments);
}

static struct datagram_chain *bucket_of(struct fragments *fragments, const struct datagram_key *key)
{
	uint32_t hash = rte_jhash(key, sizeof(*key), fragments->seed);
	return &fragments->bucket[hash & (FRAGMENTS_DATAGRAMS - 1)];
}

static struct datagram *find(struct fragments *fragments, const struct datagram_key *key)
{
	struct datagram *datagram;
	SLIST_FOREACH(datagram, bucket_of(fragments, key), chain)
		if (!memcmp(&datagram->key, key, sizeof(*key)))
			break;
	return datagram;
}

static void drop_held(struct worker *worker, struct datagram *datagram, enum dataplane_counter why)
{
	for (unsigned i = 0; i < datagram->count; i++)
		rte_pktmbuf_free(datagram->piece[i].mbuf);
	counter_add(worker->counters, why, datagram->count);
	worker->fragments->held -= datagram->count;
	datagram->count = 0;
}

static void forget(struct worker *worker, struct datagram *datagram, enum dataplane_counter why)
{
	struct fragments *fragments = worker->fragments;
	drop_held(worker, datagram, why);
	SLIST_REMOVE(bucket_of(fragments, &datagram->key), datagram, datagram, chain);
	TAILQ_REMOVE(&fragments->known, datagram, order);
	TAILQ_INSERT_HEAD(&fragments->idle, datagram, order);
}

static struct datagram *begin(struct worker *worker, const struct datagram_key *key)
{
	struct fragments *fragments = worker->fragments;
	if (TAILQ_EMPTY(&fragments->idle))
		forget(worker, TAILQ_FIRST(&fragments->known), COUNT_DROP_FRAGMENT_EVICTED);
	struct datagram *datagram = TAILQ_FIRST(&fragments->idle);
	TAILQ_REMOVE(&fragments->idle, datagram, order);
	TAILQ_INSERT_TAIL(&fragments->known, datagram, order);
	SLIST_INSERT_HEAD(bucket_of(fragments, key), datagram, chain);
	datagram->key = *key;
	datagram->state = DATAGRAM_UNDECIDED;
	datagram->expires = worker->now + FRAGMENTS_US;
	datagram->count = 0;
	return datagram;
}

static struct datagram *datagram_of(struct worker *worker, const struct arrival *arrival)
{
	const struct frame *frame = &arrival->frame;
	struct datagram_key key = {.id = frame->fragment.id, .family = frame->family, .wire = (uint16_t)arrival->wire};
	memcpy(key.src, frame->src, frame_address_bytes(frame));
	memcpy(key.dst, frame->dst, frame_address_bytes(frame));
	struct datagram *known = find(worker->fragments, &key);
	return known ? known : begin(worker, &key);
}

void fragments_expire(struct worker *worker)
{
	const struct datagram_list *known = &worker->fragments->known;
	for (struct datagram *oldest; (oldest = TAILQ_FIRST(known)) && oldest->expires <= worker->now;)
		forget(worker, oldest, COUNT_DROP_FRAGMENT_EXPIRED);
}

uint64_t fragments_next(const struct fragments *fragments)
{
	const struct datagram *oldest = TAILQ_FIRST(&fragments->known);
	return oldest ? oldest->expires : UINT64_MAX;
}

/* --- what becomes of a datagram --- */

/* RFC 5722: with all of its fragments, those that are still to come among them. */
static void refuse(struct worker *worker, struct datagram *datagram, enum dataplane_counter why)
{
	drop_held(worker, datagram, why);
	datagram->state = DATAGRAM_REFUSED;
	datagram->why = why;
}

static void let_go(struct worker *worker, struct datagram *datagram)
{
	for (unsigned i = 0; i < datagram->count; i++) {
		struct arrival held = {.mbuf = datagram->piece[i].mbuf, .wire = datagram->key.wire};
		emit_as_it_came(worker, &held);
	}
	worker->fragments->held -= datagram->count;
	datagram->count = 0;
}

static struct piece piece_of(const struct arrival *arrival)
{
	const struct frame *frame = &arrival->frame;
	const struct frame_fragment *fragment = &frame->fragment;
	return (struct piece){.mbuf = arrival->mbuf, .ip = (uint16_t)frame->ip, .at = (uint16_t)fragment->at,
		.offset = (uint16_t)fragment->offset, .len = (uint16_t)fragment->len, .more = fragment->more,
		.met_congestion = frame_met_congestion(frame)};
}

/* For want of room older datagrams go. */
static bool hold(struct worker *worker, struct datagram *datagram, const struct arrival *arrival)
{
	struct fragments *fragments = worker->fragments;
	for (struct datagram *oldest; fragments->held >= FRAGMENTS_HELD / worker->lane.lanes;) {
		oldest = TAILQ_FIRST(&fragments->known);
		if (oldest == datagram)
			return false;
		forget(worker, oldest, COUNT_DROP_FRAGMENT_EVICTED);
	}
	if (datagram->count == FRAGMENTS_OF_ONE)
		return false;
	datagram->piece[datagram->count++] = piece_of(arrival);
	fragments->held++;
	return true;
}

static unsigned end_of(const struct piece *piece)
{
	return (unsigned)piece->offset + piece->len;
}

static bool is_malformed(const struct piece *piece)
{
	return !piece->len || (piece->more && piece->len % FRAGMENT_UNIT) || end_of(piece) > DATAGRAM_BYTES_MAX;
}

/* The same bytes for the same place: the network has doubled it. */
static bool is_repeated(const struct piece *a, const struct piece *b)
{
	return a->offset == b->offset && a->len == b->len && a->more == b->more &&
		!memcmp(rte_pktmbuf_mtod_offset(a->mbuf, const uint8_t *, a->at),
			rte_pktmbuf_mtod_offset(b->mbuf, const uint8_t *, b->at), a->len);
}

/* They share a byte, or one lies behind the end that the other one says. */
static bool is_at_odds(const struct piece *a, const struct piece *b)
{
	return (a->offset < end_of(b) && b->offset < end_of(a)) || (!a->more && end_of(b) > end_of(a)) ||
		(!b->more && end_of(a) > end_of(b)) || (!a->more && !b->more);
}

/* Looks at the piece that came last beside those before it, which have been looked at. */
static void check_newest(struct worker *worker, struct datagram *datagram)
{
	struct piece *newest = &datagram->piece[datagram->count - 1];
	if (is_malformed(newest)) {
		refuse(worker, datagram, COUNT_DROP_MALFORMED);
		return;
	}
	for (struct piece *before = datagram->piece; before < newest; before++) {
		if (is_repeated(newest, before)) {
			rte_pktmbuf_free(newest->mbuf);
			count(worker, COUNT_DROP_FRAGMENT_REPEATED);
			worker->fragments->held--;
			datagram->count--;
			return;
		}
		if (is_at_odds(newest, before)) {
			refuse(worker, datagram, COUNT_DROP_FRAGMENT_OVERLAP);
			return;
		}
	}
	if (datagram->count > RTE_LIBRTE_IP_FRAG_MAX_FRAG)
		refuse(worker, datagram, COUNT_DROP_FRAGMENT_EXCESS);
}

/* It is of a guarded connection: from now on its pieces must fit. Those that are held are looked at one after the other. */
static void begin_guarding(struct worker *worker, struct datagram *datagram)
{
	unsigned held = datagram->count;
	datagram->state = DATAGRAM_GUARDED;
	datagram->count = 0;
	for (unsigned i = 0; i < held; i++) {
		datagram->piece[datagram->count++] = datagram->piece[i];
		if (datagram->state == DATAGRAM_GUARDED)
			check_newest(worker, datagram);
		else
			drop_held(worker, datagram, datagram->why);
	}
}

/* What the first fragment says. One that is guarded after another that was not is a trick: the latter has left. */
static void decide(struct worker *worker, struct datagram *datagram, const struct frame *frame, bool is_wanted)
{
	enum frame_part part = frame->fragment.part;
	if (datagram->state == DATAGRAM_REFUSED || part == PART_LATER)
		return;
	if (part == PART_FIRST_UNREADABLE)
		refuse(worker, datagram, COUNT_DROP_UNREADABLE);
	else if (is_wanted && datagram->state == DATAGRAM_BRIDGED)
		refuse(worker, datagram, COUNT_DROP_FRAGMENT_OVERLAP);
	else if (is_wanted && datagram->state == DATAGRAM_UNDECIDED)
		begin_guarding(worker, datagram);
	else if (!is_wanted && datagram->state == DATAGRAM_UNDECIDED)
		datagram->state = DATAGRAM_BRIDGED;
}

/* --- putting together --- */

static bool is_complete(const struct datagram *datagram)
{
	unsigned sum = 0, end = 0;
	for (unsigned i = 0; i < datagram->count; i++) {
		sum += datagram->piece[i].len;
		if (!datagram->piece[i].more)
			end = end_of(&datagram->piece[i]);
	}
	return end && sum == end;
}

static bool fits_buffer(const struct datagram *datagram)
{
	unsigned sum = 0;
	for (unsigned i = 0; i < datagram->count; i++)
		sum += datagram->piece[i].len;
	for (unsigned i = 0; i < datagram->count; i++) {
		const struct piece *piece = &datagram->piece[i];
		unsigned room = (unsigned)piece->mbuf->buf_len - rte_pktmbuf_headroom(piece->mbuf);
		if (!piece->offset && piece->at + sum > room)
			return false;
	}
	return true;
}

/* rte_ip_frag wants the Fragment header right behind that of IPv6: what lies between them is for routers, and of no
 * use to a segment that ends here. */
static void cut_out_extensions(struct piece *piece)
{
	uint16_t at = piece->at - FRAGMENT_HEADER_BYTES, behind_ip = piece->ip + FRAME_IPV6_BYTES, gap = at - behind_ip;
	if (!gap)
		return;
	uint8_t *bytes = rte_pktmbuf_mtod(piece->mbuf, uint8_t *);
	put16(bytes + piece->ip + 4, (uint16_t)(get16(bytes + piece->ip + 4) - gap));
	bytes[piece->ip + 6] = IPPROTO_FRAGMENT;
	memmove(bytes + gap, bytes, behind_ip);
	rte_pktmbuf_adj(piece->mbuf, gap);
	piece->at -= gap;
}

static struct rte_mbuf *join_ipv4(struct fragments *fragments, struct piece *piece, uint64_t now)
{
	struct rte_mbuf *mbuf = piece->mbuf;
	return rte_ipv4_frag_reassemble_packet(fragments->table, &fragments->dead, mbuf, now,
		rte_pktmbuf_mtod_offset(mbuf, struct rte_ipv4_hdr *, piece->ip));
}

static struct rte_mbuf *join_ipv6(struct fragments *fragments, struct piece *piece, uint64_t now)
{
	struct rte_mbuf *mbuf = piece->mbuf;
	struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod_offset(mbuf, struct rte_ipv6_hdr *, piece->ip);
	return rte_ipv6_frag_reassemble_packet(
		fragments->table, &fragments->dead, mbuf, now, ip, (struct rte_ipv6_fragment_ext *)(ip + 1));
}

/* All pieces, given away one by one; the last one brings the datagram. */
static struct rte_mbuf *join(struct worker *worker, struct datagram *datagram)
{
	struct fragments *fragments = worker->fragments;
	struct rte_mbuf *whole = NULL;
	for (unsigned i = 0; i < datagram->count; i++) {
		struct piece *piece = &datagram->piece[i];
		bool is_ipv6 = datagram->key.family == FRAME_IPV6;
		if (is_ipv6)
			cut_out_extensions(piece);
		piece->mbuf->l2_len = piece->ip;
		piece->mbuf->l3_len = piece->at - piece->ip;
		whole = is_ipv6 ? join_ipv6(fragments, piece, worker->now) : join_ipv4(fragments, piece, worker->now);
	}
	fragments->held -= datagram->count;
	datagram->count = 0;
	rte_ip_frag_free_death_row(&fragments->dead, 0);
	return whole;
}

/* RFC 3168 5.3: congestion that one fragment met was met by the whole. */
static void mark_congestion(struct rte_mbuf *whole, const struct datagram_key *key, size_t at)
{
	uint8_t *ip = rte_pktmbuf_mtod_offset(whole, uint8_t *, at);
	ip[1] |= key->family == FRAME_IPV4 ? 0x03 : 0x30;
}

static void sum_ipv4(struct rte_mbuf *whole, size_t at)
{
	uint8_t *ip = rte_pktmbuf_mtod_offset(whole, uint8_t *, at);
	put16(ip + 10, 0);
	put16(ip + 10, (uint16_t)~checksum_fold(checksum_add(0, ip, (size_t)(ip[0] & 0x0f) * 4)));
}

static bool make_whole(struct worker *worker, struct datagram *datagram, struct arrival *arrival)
{
	size_t ip = 0;
	bool met_congestion = false;
	for (unsigned i = 0; i < datagram->count; i++) {
		met_congestion |= datagram->piece[i].met_congestion;
		if (!datagram->piece[i].offset)
			ip = datagram->piece[i].ip;
	}
	struct rte_mbuf *whole = join(worker, datagram);
	if (!whole || rte_pktmbuf_linearize(whole)) {
		rte_pktmbuf_free(whole);
		count(worker, COUNT_DROP_FRAGMENT_EXCESS);
		return false;
	}
	if (met_congestion)
		mark_congestion(whole, &datagram->key, ip);
	if (datagram->key.family == FRAME_IPV4)
		sum_ipv4(whole, ip);
	count(worker, COUNT_REASSEMBLED);
	arrival->mbuf = whole;
	return true;
}

/* Has been held; the datagram may be whole now. */
static bool complete(struct worker *worker, struct datagram *datagram, struct arrival *arrival)
{
	if (datagram->state != DATAGRAM_GUARDED || !is_complete(datagram))
		return false;
	if (!fits_buffer(datagram)) {
		refuse(worker, datagram, COUNT_DROP_FRAGMENT_EXCESS);
		return false;
	}
	bool is_whole = make_whole(worker, datagram, arrival);
	forget(worker, datagram, COUNT_DROP_FRAGMENT_EXPIRED);
	return is_whole;
}

/* --- arrival --- */

static bool has_good_header(const struct frame *frame)
{
	const uint8_t *ip = frame->bytes + frame->ip;
	return frame->family == FRAME_IPV6 ||
		checksum_fold(checksum_add(0, ip, (size_t)(ip[0] & 0x0f) * 4)) == 0xffff;
}

/* What no receiver takes decides nothing. */
static void arrive_damaged(struct worker *worker, struct arrival *arrival, bool is_wanted)
{
	if (is_wanted)
		emit_nothing(worker, arrival, COUNT_DROP_BAD_CHECKSUM);
	else
		emit_as_it_came(worker, arrival);
}

bool fragments_arrive(struct worker *worker, struct arrival *arrival)
{
	const struct frame *frame = &arrival->frame;
	bool is_wanted = frame->fragment.part == PART_FIRST && bridge_wants_whole(worker, frame);
	if (!has_good_header(frame)) {
		arrive_damaged(worker, arrival, is_wanted);
		return false;
	}
	struct datagram *datagram = datagram_of(worker, arrival);
	decide(worker, datagram, frame, is_wanted);
	if (datagram->state == DATAGRAM_BRIDGED) {
		let_go(worker, datagram);
		emit_as_it_came(worker, arrival);
	} else if (datagram->state == DATAGRAM_REFUSED) {
		emit_nothing(worker, arrival, datagram->why);
	} else if (!hold(worker, datagram, arrival)) {
		refuse(worker, datagram, COUNT_DROP_FRAGMENT_EXCESS);
		emit_nothing(worker, arrival, COUNT_DROP_FRAGMENT_EXCESS);
	} else if (datagram->state == DATAGRAM_GUARDED) {
		check_newest(worker, datagram);
		return complete(worker, datagram, arrival);
	}
	return false;
}
