/*
 * sallyport: asks the guard. A thin client of control's admin socket: it sends its words as one line and prints what
 * comes back. What there is to ask, and the help for it, is told by the guard itself. A guard of several lanes has a
 * control in each: @NAME, @NAME/1 and so on are asked one after the other.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	REQUEST_BYTES = 256, /* what the guard takes */
	CHUNK_BYTES = 16 << 10,
	LANES_MAX = 16,
	LANE_NAME_BYTES = 108, /* of an abstract socket */

	EXIT_REFUSED = 1, /* the guard did not understand, or could not be asked */
	EXIT_USAGE = 2,
};

static const char default_name[] = "sallyport";
static const char error_mark[] = "error: ";

static int usage(void)
{
	fprintf(stderr,
		"usage: sallyport [-n NAME] COMMAND\n"
		"       sallyport help            lists the commands\n"
		"       sallyport ca              makes, shows, exports and renews guard CAs\n"
		"       sallyport policy          checks a policy, and tries it on cases\n"
		"       sallyport label           decodes, checks and maps security labels\n"
		"  -n   name of the guard, as in its configuration (default: %s)\n",
		default_name);
	return EXIT_USAGE;
}

static int complain(const char *what)
{
	fprintf(stderr, "sallyport: %s: %s\n", what, strerror(errno));
	return EXIT_REFUSED;
}

/* The words as one line. 0, or -ENOSPC. */
static int join(char *const *words, char *line, size_t size)
{
	size_t len = 0;
	for (; *words; words++) {
		int n = snprintf(line + len, size - len, "%s%s", len ? " " : "", *words);
		if (n < 0 || (size_t)n >= size - len - 1 || strchr(*words, '\n'))
			return -ENOSPC;
		len += (size_t)n;
	}
	line[len] = '\n';
	line[len + 1] = '\0';
	return 0;
}

/* Anybody may take an abstract name that is free: only who root has started is the guard. */
static bool is_root(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) && peer.uid == 0;
}

static int dial(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = strlen(name);
	if (len + 1 > sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path + 1, name, len);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address,
			       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len))) {
		int error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

static int send_all(int fd, const char *text)
{
	size_t left = strlen(text);
	while (left) {
		ssize_t n = send(fd, text, left, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR)
			return -1;
		text += n > 0 ? n : 0;
		left -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* An answer that begins with the mark is a refusal and goes to standard error. */
static int print_answer(int fd)
{
	char chunk[CHUNK_BYTES];
	size_t begun = 0, mark = sizeof(error_mark) - 1;
	FILE *out = NULL;
	for (;;) {
		ssize_t n = read(fd, chunk + begun, sizeof(chunk) - begun);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return complain("reading the answer");
		begun += (size_t)n;
		if (!out && begun < mark && n)
			continue;
		if (!out)
			out = begun >= mark && !memcmp(chunk, error_mark, mark) ? stderr : stdout;
		if (begun && fwrite(chunk, 1, begun, out) != begun)
			return complain("writing");
		if (!n)
			break;
		begun = 0;
	}
	if (fflush(out))
		return complain("writing");
	return out == stderr ? EXIT_REFUSED : 0;
}

/* A lane beyond the last one is not there to be asked. */
static int ask(const char *name, unsigned lane, const char *line, bool *is_there)
{
	int fd = dial(name);
	*is_there = fd >= 0;
	if (fd < 0 && lane && errno == ECONNREFUSED)
		return 0;
	if (fd < 0) {
		fprintf(stderr, "sallyport: no guard named %s answers: %s%s\n", name, strerror(errno),
			errno == ECONNREFUSED ? " (hint: is sallyportd running, and is -n right?)" : "");
		return EXIT_REFUSED;
	}
	int rc;
	if (!is_root(fd)) {
		fprintf(stderr, "sallyport: %s is answered by somebody who is not root: not asking\n", name);
		rc = EXIT_REFUSED;
	} else {
		rc = send_all(fd, line) ? complain("asking") : print_answer(fd);
	}
	close(fd);
	return rc;
}

static int ask_all(const char *name, const char *line)
{
	bool is_there = true;
	int rc = ask(name, 0, line, &is_there);
	for (unsigned lane = 1; lane < LANES_MAX && is_there && !rc; lane++) {
		char of_lane[LANE_NAME_BYTES];
		snprintf(of_lane, sizeof(of_lane), "%s/%u", name, lane);
		rc = ask(of_lane, lane, line, &is_there);
	}
	return rc;
}

/* What needs no guard that runs is done by other programs, which stand beside this one in a build folder, and with the
 * guard's processes where it is installed. */
static int run_program(char **words)
{
	char self[PATH_MAX], path[PATH_MAX + 64];
	static const char *const places[] = {"", "../lib/sallyport/"};
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[n < 0 ? 0 : n] = '\0';
	char *slash = strrchr(self, '/');
	for (unsigned i = 0; slash && i < sizeof(places) / sizeof(*places); i++) {
		snprintf(path, sizeof(path), "%.*s/%ssallyport-%s", (int)(slash - self), self, places[i], words[0]);
		execv(path, words);
	}
	return complain(words[0]);
}

int main(int argc, char **argv)
{
	const char *name = default_name;
	char line[REQUEST_BYTES];
	int option;
	while ((option = getopt(argc, argv, "+n:h")) != -1) {
		if (option != 'n')
			return usage();
		name = optarg;
	}
	if (optind == argc)
		return usage();
	if (!strcmp(argv[optind], "ca") || !strcmp(argv[optind], "policy") || !strcmp(argv[optind], "label"))
		return run_program(argv + optind);
	if (join(argv + optind, line, sizeof(line))) {
		fprintf(stderr, "sallyport: command too long\n");
		return EXIT_USAGE;
	}
	return ask_all(name, line);
}
