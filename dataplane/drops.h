/*
 * Everything the dataplane counts, by the name under which `sallyport show counters` lists it. Every frame that is not
 * sent on has its reason here.
 */
#ifndef DATAPLANE_DROPS_H
#define DATAPLANE_DROPS_H

#define DATAPLANE_COUNTERS(X)                                                                                     \
	/* bridged as they came */                                                                                    \
	X(FRAMES_TO_INSIDE, "frames-to-inside")                                                                       \
	X(FRAMES_TO_OUTSIDE, "frames-to-outside")                                                                     \
	X(BYTES_TO_INSIDE, "bytes-to-inside")                                                                         \
	X(BYTES_TO_OUTSIDE, "bytes-to-outside")                                                                       \
	/* guarded connections */                                                                                     \
	X(SYNS, "syns")                                                                                               \
	X(ADOPTED, "connections-adopted")                                                                             \
	X(CLOSED, "connections-closed")                                                                               \
	X(CONNECTIONS_RESET, "connections-reset")                                                                     \
	X(CONNECTIONS_TIMED_OUT, "connections-timed-out")                                                             \
	X(CONNECTIONS_OPEN, "connections-open")                                                                       \
	X(HALF_OPEN, "half-open")                                                                                     \
	X(DIALS, "connections-of-our-own")                                                                            \
	X(DIALS_REFUSED, "connections-of-our-own-refused")                                                            \
	X(HALF_OPEN_EVICTED, "half-open-evicted")                                                                     \
	X(HALF_OPEN_EXPIRED, "half-open-expired")                                                                     \
	X(REFUSED_DETACHED, "refused-guard-not-ready")                                                                \
	X(REFUSED_FULL, "refused-too-many-connections")                                                               \
	X(SEGMENTS_IN, "segments-in")                                                                                 \
	X(SEGMENTS_OUT, "segments-out")                                                                               \
	X(BYTES_UP, "bytes-up")                                                                                       \
	X(BYTES_DOWN, "bytes-down")                                                                                   \
	X(RETRANSMITS, "retransmits")                                                                                 \
	X(FAST_RETRANSMITS, "fast-retransmits")                                                                       \
	X(TIMEOUTS, "retransmit-timeouts")                                                                            \
	X(OUT_OF_ORDER, "out-of-order")                                                                               \
	X(OUT_OF_WINDOW, "out-of-window")                                                                             \
	X(OVERLAPS, "overlaps-with-different-data")                                                                   \
	X(WINDOW_PROBES, "window-probes")                                                                             \
	X(REASSEMBLED, "fragments-reassembled")                                                                       \
	X(TOO_BIG_HEEDED, "too-big-heeded")                                                                           \
	X(URGENT, "urgent-ignored")                                                                                   \
	X(UNKEPT, "segments-not-kept")                                                                                \
	X(BYTES_KEPT, "bytes-kept")                                                                                   \
	X(CHALLENGE_ACKS, "challenge-acks")                                                                           \
	X(STRAY_RESETS, "stray-resets-sent")                                                                          \
	X(STRAY_RESETS_HELD, "stray-resets-held-back")                                                                \
	/* connections on other ports */                                                                              \
	X(WATCHED, "connections-watched")                                                                             \
	X(WATCH_EVICTED, "watched-evicted")                                                                           \
	X(WATCH_HELD, "segments-held")                                                                                \
	X(FOUND, "found-by-content")                                                                                  \
	X(RELAYED, "connections-relayed")                                                                             \
	X(BYTES_RELAYED, "bytes-relayed")                                                                             \
	X(BLOCKED, "connections-blocked")                                                                             \
	X(WEBSOCKETS, "websocket-upgrades")                                                                           \
	X(QUIC, "quic-connections")                                                                                   \
	X(NOTICES, "notices")                                                                                         \
	/* frames that went no further */                                                                             \
	X(DROP_PORT_FULL, "drop-port-full")                                                                           \
	X(DROP_NOBODY_ABOVE, "drop-guard-not-ready")                                                                  \
	X(DROP_LINK_DOWN, "drop-link-down")                                                                           \
	X(DROP_NO_BUFFER, "drop-no-buffer")                                                                           \
	X(DROP_SCATTERED, "drop-scattered-frame")                                                                     \
	X(DROP_UNREADABLE, "drop-unreadable-tcp")                                                                     \
	X(DROP_PART, "drop-cut-off-segment")                                                                          \
	X(DROP_FRAGMENT_OVERLAP, "drop-fragment-overlap")                                                             \
	X(DROP_FRAGMENT_REPEATED, "drop-fragment-repeated")                                                           \
	X(DROP_FRAGMENT_EXCESS, "drop-fragment-over-limit")                                                           \
	X(DROP_FRAGMENT_EVICTED, "drop-fragment-evicted")                                                             \
	X(DROP_FRAGMENT_EXPIRED, "drop-fragment-expired")                                                             \
	X(DROP_GROUP_ADDRESSED, "drop-group-addressed")                                                               \
	X(DROP_TOO_MANY_TAGS, "drop-too-many-tags")                                                                   \
	X(DROP_MALFORMED, "drop-malformed-segment")                                                                   \
	X(DROP_BAD_CHECKSUM, "drop-bad-checksum")                                                                     \
	X(DROP_BAD_FLAGS, "drop-bad-flags")                                                                           \
	X(DROP_TO_ITSELF, "drop-endpoint-to-itself")                                                                  \
	X(DROP_WRONG_WIRE, "drop-wrong-wire")                                                                         \
	X(DROP_SIMULTANEOUS_OPEN, "drop-simultaneous-open")                                                           \
	X(DROP_NOT_OF_HANDSHAKE, "drop-not-of-handshake")                                                             \
	X(DROP_TOO_BIG, "drop-too-big-not-heeded")                                                                    \
	X(DROP_STRAY, "drop-without-connection")                                                                      \
	X(DROP_HELD_TOO_MUCH, "drop-held-too-much")                                                                   \
	X(DROP_NOT_AS_BEFORE, "drop-differs-from-before")                                                             \
	X(DROP_BLOCKED, "drop-blocked")                                                                               \
	X(DROP_QUIC, "drop-quic")                                                                                     \
	X(DROP_OUT_OF_MEMORY, "drop-out-of-memory")                                                                   \
	X(DROP_LANE_FULL, "drop-lane-full")                                                                           \
	/* the worker */                                                                                              \
	X(FRAMES_HANDED_OVER, "frames-handed-over")                                                                   \
	X(LANE_WAKEUPS, "lane-wakeups")                                                                               \
	X(LINK_INSIDE, "link-inside")                                                                                 \
	X(LINK_OUTSIDE, "link-outside")                                                                               \
	X(LINK_INSIDE_HELD, "link-inside-held")                                                                       \
	X(LINK_OUTSIDE_HELD, "link-outside-held")                                                                     \
	X(SLEEPS, "sleeps")                                                                                           \
	X(PORT_ERRORS, "port-errors")                                                                                 \
	X(UPPER_ATTACHED, "upper-attached")                                                                           \
	X(UPPER_DETACHED, "upper-detached")

enum dataplane_counter {
#define X(name, text) COUNT_##name,
	DATAPLANE_COUNTERS(X)
#undef X
	DATAPLANE_COUNTERS_END
};

extern const char *const dataplane_counter_names[DATAPLANE_COUNTERS_END];

#endif
