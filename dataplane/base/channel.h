/*
 * A channel: how two processes of the guard hand each other the bytes of connections.
 *
 *     dataplane  ==channel==  tls  ==channel==  control
 *     lower end               upper end of one, lower end of the next
 *
 * One memfd holds two single-producer single-consumer rings of variable-length messages, one up (towards control) and
 * one down (towards the wire); an eventfd each way wakes a sleeper. This header is the whole contract: whoever is on
 * the other side is not trusted further than what is written here.
 *
 * Life of a connection. The lower end names it with MSG_OPENED, a 64-bit id that is never used again, and ends it with
 * MSG_CLOSED; between the two both ends may speak of it. After MSG_CLOSED the upper end says no more, and what it had
 * already said is ignored. Everything in between belongs to one side of the connection (client: who dialled).
 *
 * Credit. Each end may have CHANNEL_WINDOW bytes of MSG_BYTES outstanding for each side of each connection; the
 * receiver gives them back with MSG_CREDIT when it has used them up. Exceeding it is a protocol error. So memory is
 * bounded, a slow reader slows its writer, and nothing is ever dropped for lack of room.
 */
#ifndef BASE_CHANNEL_H
#define BASE_CHANNEL_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum channel_limits {
	CHANNEL_VERSION = 1,
	CHANNEL_RING_BYTES = 8 << 20,      /* each way; a power of two and a multiple of the page size */
	CHANNEL_WINDOW = 256 << 10,        /* bytes, for each side of a connection, each way */
	CHANNEL_PAYLOAD_MAX = 64 << 10,    /* bytes in one message */
	CHANNEL_BACKLOG_MAX = 64 << 20,    /* bytes that wait in the sender while the ring is full */
	CHANNEL_NAME_MAX = 256,            /* a domain name with its NUL */
};

/* The two endpoints of a connection: always who dialled and who was dialled. */
enum conn_side { SIDE_CLIENT = 0, SIDE_SERVER = 1, SIDES = 2 };

/* The two ports of the guard. */
enum wire { WIRE_INSIDE = 0, WIRE_OUTSIDE = 1, WIRES = 2 };

static inline enum conn_side side_other(enum conn_side s)
{
	return s == SIDE_CLIENT ? SIDE_SERVER : SIDE_CLIENT;
}

static inline enum wire wire_other(enum wire w)
{
	return w == WIRE_INSIDE ? WIRE_OUTSIDE : WIRE_INSIDE;
}

/*
 * Verbs. "Up" messages tell what an endpoint did; "down" messages say what to do towards an endpoint. msg.side is the
 * endpoint that is spoken of, in both directions. For MSG_OPENED, MSG_CLOSED, MSG_START_TLS, MSG_TLS_FAILED,
 * MSG_NOTICE and MSG_CRLS, whose subject is not a side, it is SIDE_CLIENT unless said otherwise.
 */
enum msg_type {
	MSG_NONE = 0,
	MSG_OPENED = 1,        /* up: struct msg_opened */
	MSG_BYTES = 2,         /* up: the endpoint sent these; down: send it these. 1..CHANNEL_PAYLOAD_MAX bytes */
	MSG_END_OF_STREAM = 3, /* up: the endpoint will send no more; down: send what came before, then end (FIN) */
	MSG_RESET = 4,         /* up: the endpoint is gone; down: send what credit allows of what came before, then RST */
	MSG_CREDIT = 5,        /* both: struct msg_credit */
	MSG_CLOSED = 6,        /* up: the connection is over, the id is void */
	MSG_START_TLS = 7,     /* control to tls: struct msg_start_tls; bytes of both sides are TLS from here on */
	MSG_SECURED = 8,       /* tls to control, per side: struct msg_secured; comes before the side's first plaintext */
	MSG_TLS_FAILED = 9,    /* tls to control: struct msg_tls_failed, msg.side = whose check failed; alerts are sent */
	MSG_NOTICE = 10,       /* up: struct msg_notice. Of no connection: its id is 0 */
	MSG_CRLS = 11,         /* tls to control: struct msg_crls. Of no connection: its id is 0 */
	MSG_TYPES
};

struct channel_msg {
	uint8_t version;       /* CHANNEL_VERSION */
	uint8_t type;          /* enum msg_type */
	uint8_t side;          /* enum conn_side */
	uint8_t zero;
	uint32_t length;       /* bytes of payload that follow; the next message starts at the next multiple of 16 */
	uint64_t conn;
};
static_assert(sizeof(struct channel_msg) == 16, "message header");

struct msg_opened {
	uint8_t family;        /* 4 or 6 */
	uint8_t client_wire;   /* enum wire that the client dialled from; the server is on the other */
	uint16_t client_port, server_port;                     /* host byte order */
	uint16_t client_vlan[2], server_vlan[2];               /* outer, inner VLAN id; 0: none */
	uint8_t zero[2];
	uint8_t client_addr[16], server_addr[16];              /* network byte order; IPv4 in the first four bytes */
};
static_assert(sizeof(struct msg_opened) == 48, "opened");

struct msg_credit {
	uint32_t bytes;
};
static_assert(sizeof(struct msg_credit) == 4, "credit");

/* How strongly a peer must be authenticated before stanzas pass. */
enum auth_level {
	AUTH_STRONG = 0,       /* verified certificates, SASL EXTERNAL */
	AUTH_TLS_DIALBACK = 1, /* TLS; a client may come without a certificate, a peer with one that proves nothing */
	AUTH_NONE = 2,         /* not even TLS: dialback in the clear */
};

/* A peer that need not be verified is not made to look so; what was revoked, or is not the pinned one, is refused. */
struct msg_start_tls {
	char client_name[CHANNEL_NAME_MAX];    /* domain that the client claims (stream `from`) */
	char server_name[CHANNEL_NAME_MAX];    /* domain that it asked for (stream `to`) */
	uint32_t level;                        /* enum auth_level between the two */
};
static_assert(sizeof(struct msg_start_tls) == 516, "start-tls");

struct msg_secured {
	char version[16];                      /* "TLSv1.3" */
	char cipher[48];
	char identity[CHANNEL_NAME_MAX];       /* the domain proved by the endpoint's certificate; "": none */
	char doubt[CHANNEL_NAME_MAX];          /* why the certificate that it showed proves nothing, for people; else "" */
	uint8_t fingerprint[32];               /* SHA-256 of the endpoint's certificate; zero if none */
	uint8_t key_fingerprint[32];           /* SHA-256 of its SubjectPublicKeyInfo */
	char shown[CHANNEL_NAME_MAX];          /* the domain of the guard certificate the endpoint saw; "" if none */
	uint8_t shown_fingerprint[32];
	uint64_t shown_not_after;              /* seconds since 1970 */
	char shown_issuer[CHANNEL_NAME_MAX];   /* common name of the guard CA; "nobody" if it stands for a doubted one */
};
static_assert(sizeof(struct msg_secured) == 16 + 48 + 4 * 256 + 3 * 32 + 8, "secured");

enum tls_failure {
	TLS_FAILED_HANDSHAKE = 0,      /* protocol error, alert from the endpoint, or no common version or cipher */
	TLS_FAILED_CERTIFICATE = 1,    /* expired, unknown CA, revoked, too weak */
	TLS_FAILED_NAME = 2,           /* a good certificate, for another name */
	TLS_FAILED_NO_CERTIFICATE = 3, /* the level asked for one */
	TLS_FAILED_TIMEOUT = 4,
	TLS_FAILED_KEYD = 5,           /* no guard certificate could be had */
	TLS_FAILED_RECORD = 6,         /* bad record after the handshake */
	TLS_FAILED_PIN = 7,            /* a good certificate of the right name, which is none that the peer is known by */
};

struct msg_tls_failed {
	uint32_t failure;              /* enum tls_failure */
	char reason[CHANNEL_NAME_MAX]; /* for people */
};
static_assert(sizeof(struct msg_tls_failed) == 260, "tls-failed");

/* Seen on the wire, and worth an alert. */
enum notice_kind {
	NOTICE_ELSEWHERE = 0,          /* XMPP between servers on a port that is not configured */
	NOTICE_WEBSOCKET = 1,          /* XMPP over WebSocket asked for */
	NOTICE_QUIC = 2,               /* a QUIC connection begun, which may carry XMPP */
	NOTICE_CONFLICT = 3,           /* bytes that were sent twice, and differently */
	NOTICE_KINDS
};

struct msg_notice {
	uint8_t kind;                  /* enum notice_kind */
	uint8_t blocked;               /* 1: it went no further; 0: it did */
	uint8_t family;                /* 4 or 6 */
	uint8_t wire;                  /* enum wire that it came from */
	uint16_t src_port, dst_port;
	uint32_t untold;               /* how many of this kind before it were not told of, to keep their number down */
	uint8_t src[16], dst[16];      /* network byte order; IPv4 in the first four bytes */
};
static_assert(sizeof(struct msg_notice) == 44, "notice");

/* New lists of revoked certificates came, and are in force, or are refused: then the old ones stay. */
struct msg_crls {
	uint32_t wire, refused, count; /* enum wire; 1 or 0; how many are in force now */
	char reason[CHANNEL_NAME_MAX]; /* why they are refused, for people */
};
static_assert(sizeof(struct msg_crls) == 268, "crls");

/* The memfd and its two eventfds. Whoever holds all three is one of the channel's ends. */
struct channel_fds {
	int memory;
	int wake_upper;        /* written by the lower end, read by the upper */
	int wake_lower;
};

enum channel_end { CHANNEL_LOWER, CHANNEL_UPPER };

struct channel;

/* Makes a fresh channel (memfd sealed against resizing). Returns 0 or -errno. Caller closes the fds. */
int channel_create(struct channel_fds *fds) __attribute__((warn_unused_result, nonnull));

void channel_fds_close(struct channel_fds *fds) __attribute__((nonnull));

/* Maps one end. Takes the fds over, also on failure. NULL with errno set. */
struct channel *channel_attach(struct channel_fds fds, enum channel_end end) __attribute__((warn_unused_result));

void channel_free(struct channel *ch);

/*
 * Appends a message and returns where its `length` payload bytes go, contiguous and 16-byte aligned; the caller fills
 * them before channel_flush(). Never fails for lack of room in the ring: the message then waits, in order, in a backlog
 * of the sender, and channel_flush() moves it on. Credit bounds that backlog; beyond CHANNEL_BACKLOG_MAX (a bug, or
 * thousands of connections opened at once onto a dead reader) the result is NULL and channel_broken() is true for good.
 */
void *channel_begin(struct channel *ch, enum msg_type type, enum conn_side side, uint64_t conn, uint32_t length)
	__attribute__((warn_unused_result, nonnull));

/* channel_begin() and a copy. */
int channel_send(struct channel *ch, enum msg_type type, enum conn_side side, uint64_t conn, const void *payload,
	uint32_t length) __attribute__((warn_unused_result, nonnull(1)));

/* Bytes of MSG_BYTES payload that would go into the ring at once. Bulk senders ask first and leave data where it is. */
size_t channel_room(const struct channel *ch) __attribute__((nonnull));

/* Publishes everything begun since the last flush, and wakes the other end if it sleeps: one wake-up at most. */
void channel_flush(struct channel *ch) __attribute__((nonnull));

/*
 * Receiving. `verbs` is indexed by enum msg_type; a row without handler is an unknown message. `find` gives the
 * receiver's own state of a connection as a bit number (0: id not known) and its object; a verb is dispatched only in
 * the states of its row. The header is copied out of shared memory before it is checked; the payload is not, so that
 * a handler copies what it will look at twice. A handler returns 0 or -EPROTO.
 */
struct channel_verb {
	uint32_t size_min, size_max;
	uint32_t states;               /* bit set */
	int (*handler)(void *owner, void *conn, const struct channel_msg *msg, const uint8_t *payload);
};

struct channel_receiver {
	const struct channel_verb *verbs;      /* [MSG_TYPES] */
	unsigned (*find)(void *owner, uint64_t conn, void **object);
	void *owner;
};

/*
 * Handles at most `budget` messages and gives their room back. Returns how many, or -EPROTO when the other end broke the
 * contract: from then on the channel is broken, and its user reports the other end to sallyportd.
 */
int channel_dispatch(struct channel *ch, const struct channel_receiver *receiver, unsigned budget)
	__attribute__((warn_unused_result, nonnull));

bool channel_broken(const struct channel *ch) __attribute__((nonnull));

/*
 * Sleeping. channel_sleep() announces it and returns true if it is safe to wait on channel_wake_fd() (false: a message is
 * there, do not sleep). channel_awake() takes the announcement back and empties the eventfd.
 * A sender with a backlog also wants to be woken: channel_sleep() counts it, the receiver's progress wakes it.
 */
bool channel_sleep(struct channel *ch) __attribute__((warn_unused_result, nonnull));
void channel_awake(struct channel *ch) __attribute__((nonnull));
int channel_wake_fd(const struct channel *ch) __attribute__((nonnull));

const char *msg_type_name(enum msg_type type);

#endif
