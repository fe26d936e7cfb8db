/* One endpoint of a session; see stream.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/control.h"
#include "control/negotiation.h"
#include "control/session.h"
#include "control/stream.h"
#include "control/xml.h"

/* Credit goes back in large pieces: what is owed at most leaves the endpoint three quarters of its window. */
enum { CREDIT_BATCH_BYTES = CHANNEL_WINDOW / 4 };

int stream_init(struct stream *stream, struct session *session, enum conn_side side)
{
	*stream =
		(struct stream){.session = session, .side = side, .window = CHANNEL_WINDOW, .credit = CHANNEL_WINDOW};
	buf_init(&stream->in, CHANNEL_WINDOW);
	buf_init(&stream->out, SESSION_OUT_MAX_BYTES);
	stream->parser = xml_parser_new(&negotiation_handlers, stream);
	return stream->parser ? 0 : -ENOMEM;
}

void stream_fini(struct stream *stream)
{
	xml_parser_free(stream->parser);
	buf_fini(&stream->in);
	buf_fini(&stream->out);
	free(stream->secured);
}

/* --- from the endpoint --- */

int stream_receive(struct stream *stream, const uint8_t *bytes, uint32_t len)
{
	if (len > stream->window || stream->input >= INPUT_ENDED)
		return -EPROTO;
	int rc = buf_put(&stream->in, bytes, len);
	if (rc)
		return rc;
	stream->window -= len;
	stream->bytes_in += len;
	counter_add(stream->session->control->counters, COUNT_BYTES_IN, len);
	return 0;
}

static void use_up(struct stream *stream, size_t n)
{
	buf_drop(&stream->in, n);
	stream->owed += (uint32_t)n;
}

static bool parse_some(struct stream *stream)
{
	struct session *session = stream->session;
	if (stream->restart && xml_parser_restart(stream->parser)) {
		session_close(session, SIDES, "internal-server-error", "parser could not be restarted");
		return true;
	}
	stream->restart = false;
	xml_parser_resume(stream->parser);
	long n = xml_parser_feed(stream->parser, buf_head(&stream->in), buf_len(&stream->in));
	if (n < 0)
		negotiation_fault(stream, (enum xml_fault) - n);
	else
		use_up(stream, (size_t)n);
	return n != 0;
}

bool stream_parse(struct stream *stream)
{
	bool moved = false;
	while (buf_len(&stream->in) && session_hears(stream->session, stream->side) && parse_some(stream))
		moved = true;
	return moved;
}

void stream_discard(struct stream *stream)
{
	use_up(stream, buf_len(&stream->in));
}

/* --- to the endpoint --- */

static bool is_writable(const struct stream *stream)
{
	return stream->output <= OUTPUT_FOOTER;
}

int stream_put_header(struct stream *stream, const struct xml_header *header)
{
	if (stream->output != OUTPUT_SILENT)
		return -EPIPE;
	int rc = xml_write_header(&stream->out, header);
	if (!rc)
		stream->output = OUTPUT_OPEN;
	return rc;
}

int stream_put_node(struct stream *stream, const struct node *node)
{
	return stream->output == OUTPUT_OPEN ? xml_write_node(&stream->out, node) : -EPIPE;
}

int stream_put_text(struct stream *stream, const char *text)
{
	return stream->output == OUTPUT_OPEN ? buf_put(&stream->out, text, strlen(text)) : -EPIPE;
}

int stream_put_footer(struct stream *stream)
{
	if (stream->output != OUTPUT_OPEN)
		return -EPIPE;
	int rc = xml_write_footer(&stream->out);
	if (!rc)
		stream->output = OUTPUT_FOOTER;
	return rc;
}

int stream_put_error(struct stream *stream, const char *condition)
{
	if (stream->output != OUTPUT_OPEN)
		return -EPIPE;
	int rc = xml_write_stream_error(&stream->out, condition);
	if (!rc)
		stream->output = OUTPUT_FOOTER;
	return rc;
}

/* A channel that is broken is noticed by the loop; here it only means that nothing more can be said. */
static int say(struct stream *stream, enum msg_type type, const void *payload, uint32_t len)
{
	if (stream->session->own && stream->side == SIDE_CLIENT)
		return 0; /* that is the guard itself */
	return channel_send(stream->session->control->channel, type, stream->side, stream->session->id, payload, len);
}

static void send_bytes(struct stream *stream)
{
	while (buf_len(&stream->out) && stream->credit) {
		size_t n = buf_len(&stream->out);
		n = n < stream->credit ? n : stream->credit;
		n = n < CHANNEL_PAYLOAD_MAX ? n : CHANNEL_PAYLOAD_MAX;
		if (say(stream, MSG_BYTES, buf_head(&stream->out), (uint32_t)n))
			return;
		buf_drop(&stream->out, n);
		stream->credit -= stream->session->own && stream->side == SIDE_CLIENT ? 0 : (uint32_t)n;
		stream->bytes_out += n;
		counter_add(stream->session->control->counters, COUNT_BYTES_OUT, n);
	}
}

static void give_credit_back(struct stream *stream)
{
	if (stream->owed < CREDIT_BATCH_BYTES || stream->input >= INPUT_ENDED || stream->output == OUTPUT_RESET)
		return;
	struct msg_credit credit = {stream->owed};
	if (say(stream, MSG_CREDIT, &credit, sizeof(credit)))
		return;
	stream->window += stream->owed;
	stream->owed = 0;
}

/* In a handshake nobody is sent anything; in direct TLS the client's half may be over before the server's. */
static bool may_send(const struct stream *stream)
{
	const struct session *session = stream->session;
	return !session->tls_started || stream->secured ||
	       (stream->side == SIDE_CLIENT && direct_client_is_ready(session));
}

void stream_flush(struct stream *stream)
{
	give_credit_back(stream);
	if (stream->output >= OUTPUT_ENDED)
		return;
	if (may_send(stream))
		send_bytes(stream);
	else if (stream->output == OUTPUT_ENDING)
		buf_drop(&stream->out, buf_len(&stream->out));
	if (stream->output == OUTPUT_ENDING && !buf_len(&stream->out) && !say(stream, MSG_END_OF_STREAM, NULL, 0))
		stream->output = OUTPUT_ENDED;
}

void stream_end(struct stream *stream)
{
	if (is_writable(stream))
		stream->output = OUTPUT_ENDING;
}

void stream_reset(struct stream *stream)
{
	buf_drop(&stream->out, buf_len(&stream->out));
	if (stream->output != OUTPUT_RESET && !say(stream, MSG_RESET, NULL, 0))
		stream->output = OUTPUT_RESET;
}
