/* The admin socket; see admin.h. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/admin.h"
#include "control/control.h"
#include "dataplane/base/log.h"

void admin_init(struct admin *admin, int listener, uid_t uid)
{
	*admin = (struct admin){.listener = listener, .uid = uid};
	for (unsigned i = 0; i < ADMIN_CLIENTS_MAX; i++)
		admin->client[i].fd = -1;
}

static void client_close(struct admin_client *client)
{
	if (client->fd < 0)
		return;
	close(client->fd);
	client->fd = -1;
	buf_fini(&client->request);
	buf_fini(&client->answer);
}

void admin_fini(struct admin *admin)
{
	for (unsigned i = 0; i < ADMIN_CLIENTS_MAX; i++)
		client_close(&admin->client[i]);
}

static struct admin_client *free_client(struct admin *admin)
{
	for (unsigned i = 0; i < ADMIN_CLIENTS_MAX; i++)
		if (admin->client[i].fd < 0)
			return &admin->client[i];
	return NULL;
}

unsigned admin_poll(const struct admin *admin, struct pollfd *fds)
{
	unsigned count = 0;
	bool room = false;
	for (unsigned i = 0; i < ADMIN_CLIENTS_MAX; i++) {
		const struct admin_client *client = &admin->client[i];
		room |= client->fd < 0;
		if (client->fd >= 0)
			fds[count++] = (struct pollfd){
				.fd = client->fd, .events = client->state == ADMIN_ASKING ? POLLIN : POLLOUT};
	}
	if (room) /* without it clients wait in the backlog of the socket */
		fds[count++] = (struct pollfd){.fd = admin->listener, .events = POLLIN};
	return count;
}

static bool may_ask(const struct admin *admin, int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) && (peer.uid == 0 || peer.uid == admin->uid);
}

static void accept_clients(struct admin *admin, struct control *control)
{
	static struct log_limit limit = {.burst = 2};
	for (;;) {
		struct admin_client *client = free_client(admin);
		int fd = client ? accept4(admin->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK) : -1;
		if (fd < 0)
			return;
		if (!may_ask(admin, fd)) {
			control_count(control, COUNT_ADMIN_REFUSED);
			if (log_allowed(&limit))
				log_warnx("admin socket: refused somebody who is not root");
			close(fd);
			continue;
		}
		*client = (struct admin_client){.fd = fd, .since_ms = control->now_ms, .state = ADMIN_ASKING};
		buf_init(&client->request, ADMIN_REQUEST_BYTES);
		buf_init(&client->answer, ADMIN_OUTPUT_BYTES);
	}
}

/* A whole line, NUL-terminated in place; NULL: not yet. */
static const char *request_line(struct admin_client *client)
{
	uint8_t *bytes = client->request.memory + client->request.off;
	uint8_t *end = buf_len(&client->request) ? memchr(bytes, '\n', buf_len(&client->request)) : NULL;
	if (!end || memchr(bytes, '\0', (size_t)(end - bytes)))
		return NULL;
	*end = '\0';
	return (const char *)bytes;
}

static void answer(struct admin *admin, struct control *control, struct admin_client *client, const char *line)
{
	control_count(control, COUNT_ADMIN_REQUESTS);
	if (show_answer(admin, control, line, &client->answer))
		log_warnx("admin socket: an answer was cut short");
	client->state = ADMIN_ANSWERING;
}

/* False: the client is to be closed. */
static bool take_request(struct admin *admin, struct control *control, struct admin_client *client)
{
	uint8_t bytes[ADMIN_REQUEST_BYTES];
	ssize_t n = recv(client->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	if (buf_put(&client->request, bytes, (size_t)n))
		return false;
	const char *line = request_line(client);
	if (line)
		answer(admin, control, client, line);
	return line || buf_room(&client->request);
}

static bool send_answer(struct admin_client *client)
{
	while (buf_len(&client->answer)) {
		ssize_t n = send(
			client->fd, buf_head(&client->answer), buf_len(&client->answer), MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		buf_drop(&client->answer, (size_t)n);
	}
	return false; /* all of it: the end of file ends the answer */
}

static bool is_late(const struct admin_client *client, const struct control *control)
{
	return control->now_ms - client->since_ms >= ADMIN_MS;
}

void admin_run(struct admin *admin, struct control *control)
{
	accept_clients(admin, control);
	for (unsigned i = 0; i < ADMIN_CLIENTS_MAX; i++) {
		struct admin_client *client = &admin->client[i];
		if (client->fd < 0)
			continue;
		bool goes_on = client->state == ADMIN_ANSWERING || take_request(admin, control, client);
		if (goes_on && client->state == ADMIN_ANSWERING)
			goes_on = send_answer(client);
		if (!goes_on || is_late(client, control))
			client_close(client);
	}
}
