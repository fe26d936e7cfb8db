/*
 * The way to an endpoint: what the headers of a frame look like that the guard sends it in the name of the other one.
 * All of it is learnt from the frames of the two, and followed when it changes.
 */
#ifndef DATAPLANE_PATH_H
#define DATAPLANE_PATH_H

#include "dataplane/tcp/tcp.h"
#include "frame.h"

enum path_limits { PATH_HEADERS_MAX = 14 + 4 * FRAME_TAGS_MAX + FRAME_IPV6_BYTES + TCP_HEADER_MAX };

/* Of the link layer, as last seen in the frames of one endpoint. */
struct path_link {
	uint8_t dst[FRAME_MAC_BYTES], src[FRAME_MAC_BYTES];
	unsigned tags;
	struct frame_tag tag[FRAME_TAGS_MAX];
};

struct path {
	uint8_t dst_mac[FRAME_MAC_BYTES], src_mac[FRAME_MAC_BYTES];
	unsigned tags;
	struct frame_tag tag[FRAME_TAGS_MAX];
	uint8_t family, traffic_class, hops;
	uint16_t ip_id;
	bool may_be_fragmented;        /* by routers of IPv4: its path takes less than what every host can put together */
	uint32_t flow_label;
	uint8_t dst[16], src[16];
	uint16_t dst_port, src_port;
};

/* The path that a frame has come on, and the one back to its sender. */
void path_of_frame(struct path *path, const struct frame *frame) __attribute__((nonnull));
void path_back(struct path *back, const struct frame *frame) __attribute__((nonnull));

/* Notes the link layer of a frame; true if it is not as it was. */
bool path_link_differs(const struct path_link *link, const struct frame *frame) __attribute__((nonnull));
void path_link_set(struct path_link *link, const struct frame *frame) __attribute__((nonnull));

/*
 * A frame of `from` has come: `onward` (to the other endpoint) takes what it carries, as a wire would. An address that
 * has changed is believed on both paths: a router that has taken over is found whether it is heard or spoken to first.
 */
void path_follow(struct path *onward, struct path *back, struct path_link *from, const struct frame *frame)
	__attribute__((nonnull));

/* Writes the whole frame: at most PATH_HEADERS_MAX and the payload of seg. Returns its length. */
size_t path_write(struct path *path, const struct tcp_seg *seg, uint8_t *to) __attribute__((nonnull));

#endif
