/* The table of guarded connections; see flow.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <rte_errno.h>
#include <rte_hash.h>
#include <rte_jhash.h>

#include "flow.h"

/* An id is a serial number and the flow's place in the table. */
enum { PLACE_BITS = 20 };
static_assert(FLOWS_MAX <= 1 << PLACE_BITS, "places fit");

enum { MSS_DEFAULT_IPV4 = 536, MSS_DEFAULT_IPV6 = 1220, WSCALE_MAX = 14 };     /* RFC 9293 3.7.1, RFC 7323 2.3 */

void handshake_note(struct handshake *handshake, enum conn_side side, const struct tcp_seg *seg, uint8_t family)
{
	uint16_t absent = family == FRAME_IPV4 ? MSS_DEFAULT_IPV4 : MSS_DEFAULT_IPV6;
	uint8_t ecn = seg->flags & (TCP_ECE | TCP_CWR);
	handshake->isn[side] = seg->seq;
	handshake->mss[side] = seg->mss ? seg->mss : absent;
	handshake->wscale[side] = seg->wscale == TCP_WSCALE_NONE || seg->wscale <= WSCALE_MAX ? seg->wscale : WSCALE_MAX;
	handshake->sack[side] = seg->sack_permitted;
	handshake->ecn[side] = side == SIDE_CLIENT ? ecn == (TCP_ECE | TCP_CWR) : ecn == TCP_ECE;
	handshake->timestamps[side] = seg->has_timestamps;
	handshake->ts_val[side] = seg->ts_val;
}

static void share_out(struct flow_table *table)
{
	static const unsigned max[FLOW_STATES] = {
		[FLOW_HALF_OPEN] = FLOWS_HALF_OPEN_MAX, [FLOW_SPLIT] = FLOWS_SPLIT_MAX, [FLOW_SEEN] = FLOWS_SEEN_MAX,
		[FLOW_WATCHED] = FLOWS_WATCHED_MAX, [FLOW_JUDGED] = FLOWS_WATCHED_MAX, [FLOW_BLOCKED] = FLOWS_BLOCKED_MAX};
	for (unsigned s = 0; s < FLOW_STATES; s++)
		table->max[s] = max[s] / table->lane.lanes;
}

static uint32_t all_of(const struct flow_table *table)
{
	uint32_t sum = 0;
	for (unsigned s = 0; s < FLOW_STATES; s++)
		sum += table->max[s];
	return sum;
}

static struct rte_hash *make_hash(const struct flow_table *table)
{
	char name[16];
	snprintf(name, sizeof(name), "flows-%u", table->lane.lane);
	uint32_t seed;
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		return NULL;
	const struct rte_hash_parameters parameters = {
		.name = name,
		.entries = all_of(table),
		.key_len = sizeof(struct flow_key),
		.hash_func = rte_jhash,
		.hash_func_init_val = seed, /* so that nobody can aim at one bucket */
		.socket_id = -1,
		.extra_flag = RTE_HASH_EXTRA_FLAGS_EXT_TABLE,
	};
	return rte_hash_create(&parameters);
}

int flow_table_init(struct flow_table *table, struct proc_lane lane)
{
	*table = (struct flow_table){
		.lane = lane,
		.serial = 1 + lane.lane,
	};
	share_out(table);
	for (unsigned s = 0; s < FLOW_STATES; s++)
		TAILQ_INIT(&table->list[s]);
	table->flows = calloc(FLOWS_MAX, sizeof(table->flows[0]));
	table->hash = make_hash(table);
	if (table->flows && table->hash)
		return 0;
	flow_table_fini(table);
	return -ENOMEM;
}

void flow_table_fini(struct flow_table *table)
{
	rte_hash_free(table->hash);
	free(table->flows);
	*table = (struct flow_table){0};
}

static void set_endpoint(struct flow_key *key, unsigned at, const struct frame *frame, const uint8_t *addr, uint16_t port)
{
	memcpy(key->addr[at], addr, frame_address_bytes(frame));
	key->port[at] = port;
}

bool flow_key_of(struct flow_key *key, const struct frame *frame)
{
	int order = memcmp(frame->src, frame->dst, frame_address_bytes(frame));
	bool src_first = order < 0 || (order == 0 && frame->src_port < frame->dst_port);
	*key = (struct flow_key){.family = frame->family};
	set_endpoint(key, src_first ? 0 : 1, frame, frame->src, frame->src_port);
	set_endpoint(key, src_first ? 1 : 0, frame, frame->dst, frame->dst_port);
	return src_first;
}

/* --- the filter: the same for both directions, computed without a key --- */

static unsigned filter_slot(uint64_t addresses, uint16_t a, uint16_t b)
{
	uint64_t mixed = (addresses ^ (uint64_t)(a ^ b) << 32 ^ (uint64_t)(a + b) << 48) * 0x9e3779b97f4a7c15u;
	return (unsigned)(mixed >> 49);
}
static_assert(FLOW_FILTER_SLOTS == 1 << (64 - 49), "a slot is the upper bits");

static uint64_t word(const uint8_t *bytes, size_t n)
{
	uint64_t value = 0;
	memcpy(&value, bytes, n);
	return value;
}

/* XOR of both addresses, folded. */
static uint64_t fold(const uint8_t *a, const uint8_t *b, uint32_t family)
{
	if (family == FRAME_IPV4)
		return word(a, 4) ^ word(b, 4);
	return word(a, 8) ^ word(a + 8, 8) ^ word(b, 8) ^ word(b + 8, 8);
}

static uint32_t *filter_of(struct flow_table *table, const struct flow_key *key)
{
	return &table->filter[filter_slot(fold(key->addr[0], key->addr[1], key->family), key->port[0], key->port[1])];
}

bool flow_may_exist(const struct flow_table *table, const struct frame *frame)
{
	return table->filter[filter_slot(fold(frame->src, frame->dst, frame->family), frame->src_port, frame->dst_port)];
}

/* --- */

struct flow *flow_find(const struct flow_table *table, const struct flow_key *key)
{
	void *flow = NULL;
	return rte_hash_lookup_data(table->hash, key, &flow) >= 0 ? flow : NULL;
}

static void list_add(struct flow_table *table, struct flow *flow, enum flow_state state)
{
	flow->state = state;
	TAILQ_INSERT_TAIL(&table->list[state], flow, order);
	table->count[state]++;
}

static void list_del(struct flow_table *table, struct flow *flow)
{
	TAILQ_REMOVE(&table->list[flow->state], flow, order);
	table->count[flow->state]--;
}

static struct flow *take_free(struct flow_table *table)
{
	struct flow *flow = TAILQ_FIRST(&table->list[FLOW_FREE]);
	if (flow)
		list_del(table, flow);
	else if (table->fresh < all_of(table))
		flow = &table->flows[table->fresh++];
	return flow;
}

bool flow_list_is_full(const struct flow_table *table, enum flow_state state)
{
	if (state == FLOW_SPLIT || state == FLOW_OVER)
		return table->count[FLOW_SPLIT] + table->count[FLOW_OVER] >= table->max[FLOW_SPLIT];
	return table->count[state] >= table->max[state];
}

struct flow *flow_new(struct flow_table *table, const struct flow_key *key, enum flow_state state)
{
	if (flow_list_is_full(table, state))
		return NULL;
	struct flow *flow = take_free(table);
	if (!flow)
		return NULL;
	memset(flow, 0, sizeof(*flow));
	flow->key = *key;
	if (rte_hash_add_key_data(table->hash, key, flow)) {
		list_add(table, flow, FLOW_FREE);
		return NULL;
	}
	++*filter_of(table, key);
	list_add(table, flow, state);
	return flow;
}

void flow_set_state(struct flow_table *table, struct flow *flow, enum flow_state state)
{
	list_del(table, flow);
	list_add(table, flow, state);
}

void flow_free(struct flow_table *table, struct flow *flow)
{
	rte_hash_del_key(table->hash, &flow->key);
	--*filter_of(table, &flow->key);
	flow_set_state(table, flow, FLOW_FREE);
}

void flow_touch(struct flow_table *table, struct flow *flow)
{
	flow_set_state(table, flow, flow->state);
}

void flow_name(struct flow_table *table, struct flow *flow)
{
	flow->id = table->serial << PLACE_BITS | (uint64_t)(flow - table->flows);
	table->serial += table->lane.lanes;
}

bool flow_was_named(const struct flow_table *table, uint64_t id)
{
	uint64_t serial = id >> PLACE_BITS;
	bool is_ours = serial % table->lane.lanes == table->serial % table->lane.lanes;
	return serial > 0 && serial < table->serial && is_ours && (id & ((1u << PLACE_BITS) - 1)) < table->fresh;
}

struct flow *flow_by_id(const struct flow_table *table, uint64_t id)
{
	if (!flow_was_named(table, id))
		return NULL;
	struct flow *flow = &table->flows[id & ((1u << PLACE_BITS) - 1)];
	return flow->state == FLOW_SPLIT && flow->id == id ? flow : NULL;
}
