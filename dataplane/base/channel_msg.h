/*
 * What is said on a channel: the verbs and their payload, all of fixed size. The other half of the contract, how it is
 * said, is in channel.h, which includes this.
 */
#ifndef BASE_CHANNEL_MSG_H
#define BASE_CHANNEL_MSG_H

#include <assert.h>
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
	/* Direct TLS (XEP-0368): CLIENT_HELLO, START_TLS, CLIENT_READY, plaintext of the client, NAME_CLIENT, SECURED */
	MSG_CLIENT_HELLO = 12, /* tls to control: struct msg_client_hello; the client's first bytes are TLS */
	MSG_CLIENT_READY = 13, /* tls to control: struct msg_client_ready; its handshake is done, its name not known yet */
	MSG_NAME_CLIENT = 14,  /* control to tls: struct msg_name_client; now the server may see who dials */
	/* control to tls to dataplane: struct msg_dial; dial the endpoint of msg.side once more, in the name of the other one.
	 * If it answers, MSG_OPENED says so, with `own` set; if not, nothing does. */
	MSG_DIAL = 15,
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
	uint8_t own;           /* 1: the guard itself dialled (MSG_DIAL), there is no client */
	uint8_t zero;
	uint8_t client_addr[16], server_addr[16];              /* network byte order; IPv4 in the first four bytes */
};
static_assert(sizeof(struct msg_opened) == 48, "opened");

struct msg_dial {
	uint32_t port;         /* TCP port, host byte order */
};
static_assert(sizeof(struct msg_dial) == 4, "dial");

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
	char client_name[CHANNEL_NAME_MAX];    /* domain that the client claims (stream `from`); direct TLS: "" */
	char server_name[CHANNEL_NAME_MAX];    /* domain that it asked for (stream `to`, or SNI) */
	uint32_t level;                        /* enum auth_level between the two; direct TLS: the weakest that may be */
	uint32_t direct;                       /* 1: the answer to MSG_CLIENT_HELLO */
};
static_assert(sizeof(struct msg_start_tls) == 520, "start-tls");

enum hello_alpn {
	HELLO_ALPN_NONE = 0,           /* the client offers none */
	HELLO_ALPN_XMPP = 1,           /* "xmpp-server" is among those it offers */
	HELLO_ALPN_OTHER = 2,          /* it is not */
	HELLO_ALPNS
};

struct msg_client_hello {
	char server_name[CHANNEL_NAME_MAX];    /* SNI, as it came; "": none, or none that can be a name */
	uint32_t alpn;                         /* enum hello_alpn */
};
static_assert(sizeof(struct msg_client_hello) == 260, "client-hello");

struct msg_client_ready {
	uint32_t certificate;                  /* 1: it showed one; 0: it showed none */
};
static_assert(sizeof(struct msg_client_ready) == 4, "client-ready");

/* A client that does not prove this name, or shows no certificate where the level asks for one, is MSG_TLS_FAILED. */
struct msg_name_client {
	char client_name[CHANNEL_NAME_MAX];    /* stream `from` */
	uint32_t level;                        /* enum auth_level */
};
static_assert(sizeof(struct msg_name_client) == 260, "name-client");

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

#endif
