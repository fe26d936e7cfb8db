/* One side of a connection; see layer.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

#include "layer.h"

/* Each costs us keys to derive and an answer, and nothing in TLS limits them; in a handshake its own states do. */
static void on_message(int written, int version, int type, const void *bytes, size_t n, SSL *ssl, void *arg)
{
	struct layer *layer = arg;
	(void)version, (void)bytes, (void)n, (void)ssl;
	if (layer->reads_data && (type == SSL3_RT_ALERT || (type == SSL3_RT_HANDSHAKE && !written)))
		layer->idle_talk++;
}

static bool talks_too_much(const struct layer *layer)
{
	return layer->idle_talk > LAYER_IDLE_TALK_MAX;
}

/* --- a BIO over the two queues of the wire: bounded, and nothing is copied that need not be --- */

static int queue_read(BIO *bio, char *to, size_t size, size_t *n)
{
	struct layer *layer = BIO_get_data(bio);
	size_t len = buf_len(&layer->from_wire);
	BIO_clear_retry_flags(bio);
	if (talks_too_much(layer))
		return 0;                      /* an error, not a wait */
	if (!len) {
		BIO_set_retry_read(bio);
		return 0;
	}
	*n = len < size ? len : size;
	memcpy(to, buf_head(&layer->from_wire), *n);
	buf_drop(&layer->from_wire, *n);
	return 1;
}

static int queue_write(BIO *bio, const char *bytes, size_t size, size_t *n)
{
	struct layer *layer = BIO_get_data(bio);
	size_t room = buf_room(&layer->to_wire);
	BIO_clear_retry_flags(bio);
	*n = size < room ? size : room;
	if (*n && buf_put(&layer->to_wire, bytes, *n) == 0)
		return 1;
	*n = 0;
	BIO_set_retry_write(bio);
	return 0;
}

static long queue_control(BIO *bio, int command, long number, void *pointer)
{
	(void)bio, (void)number, (void)pointer;
	return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP;
}

static BIO_METHOD *queue_method(void)
{
	static BIO_METHOD *method;
	if (method)
		return method;
	method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "queues");
	if (method && BIO_meth_set_read_ex(method, queue_read) && BIO_meth_set_write_ex(method, queue_write) &&
		BIO_meth_set_ctrl(method, queue_control))
		return method;
	BIO_meth_free(method);
	return method = NULL;
}

static BIO *queue_bio(struct layer *layer)
{
	BIO *bio = queue_method() ? BIO_new(queue_method()) : NULL;
	if (!bio)
		return NULL;
	BIO_set_data(bio, layer);
	BIO_set_init(bio, 1);
	return bio;
}

/* --- */

void layer_init(struct layer *layer)
{
	*layer = (struct layer){.credit_up = CHANNEL_WINDOW, .credit_down = CHANNEL_WINDOW};
	buf_init(&layer->from_wire, CHANNEL_WINDOW);
	buf_init(&layer->from_above, CHANNEL_WINDOW);
	buf_init(&layer->to_wire, LAYER_TO_WIRE_BYTES);
}

void layer_fini(struct layer *layer)
{
	SSL_free(layer->ssl);
	buf_fini(&layer->from_wire);
	buf_fini(&layer->from_above);
	buf_fini(&layer->to_wire);
}

static int move(struct buf *to, struct buf *from)
{
	size_t n = buf_len(from) < buf_room(to) ? buf_len(from) : buf_room(to);
	int rc = n ? buf_put(to, buf_head(from), n) : 0;
	if (!rc)
		buf_drop(from, n);
	return rc;
}

int layer_start_tls(struct layer *layer, SSL *ssl)
{
	BIO *bio = queue_bio(layer);
	if (!bio) {
		SSL_free(ssl);
		return -ENOMEM;
	}
	SSL_set_bio(ssl, bio, bio);
	SSL_set_msg_callback(ssl, on_message);
	SSL_set_msg_callback_arg(ssl, layer);
	layer->ssl = ssl;
	int rc = move(&layer->to_wire, &layer->from_above);
	return !rc && buf_len(&layer->from_above) ? -ENOSPC : rc;
}

static int read_plain(struct layer *layer, uint8_t *bytes, size_t size)
{
	size_t n = buf_len(&layer->from_wire) < size ? buf_len(&layer->from_wire) : size;
	memcpy(bytes, buf_head(&layer->from_wire), n);
	buf_drop(&layer->from_wire, n);
	return (int)n;
}

int layer_read(struct layer *layer, uint8_t *bytes, size_t size)
{
	if (!layer->ssl)
		return buf_len(&layer->from_wire) ? read_plain(layer, bytes, size) : 0;
	size_t n = 0;
	layer->reads_data = true;
	ERR_clear_error();
	int rc = SSL_read_ex(layer->ssl, bytes, size, &n);
	if (rc == 1) {
		layer->idle_talk = 0;
		return (int)n;
	}
	switch (SSL_get_error(layer->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:     /* the answer to a key update; to_wire is full */
		return 0;
	case SSL_ERROR_ZERO_RETURN:
		layer->close_notify_seen = true;
		return -EPIPE;
	default:
		return -EPROTO;
	}
}

static int write_records(struct layer *layer)
{
	while (buf_len(&layer->from_above) && buf_room(&layer->to_wire) > 2 * LAYER_RECORD_BYTES) {
		size_t n = buf_len(&layer->from_above), written = 0;
		ERR_clear_error();
		int rc = SSL_write_ex(layer->ssl, buf_head(&layer->from_above), n < LAYER_RECORD_BYTES ? n : LAYER_RECORD_BYTES,
			&written);
		if (rc != 1) {
			int error = SSL_get_error(layer->ssl, rc);
			return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -EPROTO;
		}
		buf_drop(&layer->from_above, written);
	}
	return 0;
}

int layer_write(struct layer *layer)
{
	return layer->ssl ? write_records(layer) : move(&layer->to_wire, &layer->from_above);
}

/* OpenSSL numbers an alert that was received by its code above SSL_AD_REASON_OFFSET. */
bool layer_fault(const struct layer *layer, char reason[CHANNEL_NAME_MAX])
{
	unsigned long error = ERR_peek_error();
	const char *text = error ? ERR_reason_error_string(error) : NULL;
	if (talks_too_much(layer))
		text = "many messages of TLS and no data";
	snprintf(reason, CHANNEL_NAME_MAX, "%s", text ? text : "a record could not be read");
	return ERR_GET_REASON(error) > SSL_AD_REASON_OFFSET;
}

/* Once is enough: the answer, if it comes, is read like anything else. In a handshake there is nothing to close. */
void layer_close(struct layer *layer)
{
	if (!layer->ssl || !SSL_is_init_finished(layer->ssl))
		return;
	ERR_clear_error();
	(void)SSL_shutdown(layer->ssl);
}
