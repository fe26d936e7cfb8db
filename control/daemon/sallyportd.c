/* sallyportd: reads the configuration, and starts and watches the processes of the guard. It handles no traffic. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/trial/check.h"
#include "dataplane/base/conf.h"
#include "dataplane/base/log.h"
#include "reload.h"
#include "supervisor.h"
#include "trial.h"

enum { EXIT_USAGE = 2 };

struct options {
	const char *conf;
	bool check_only, print_keys;
};

static __attribute__((noreturn)) void usage(void)
{
	fputs("usage: sallyportd [-n] [-c FILE]      run (as root, in the foreground); -n: only check the configuration\n"
	      "       sallyportd -k                  print every key of the configuration with its help\n",
		stderr);
	exit(EXIT_USAGE);
}

static struct options parse_options(int argc, char **argv)
{
	struct options options = {.conf = SYSCONFDIR "/sallyport/sallyport.conf"};
	for (int option; (option = getopt(argc, argv, "nc:k")) != -1;) {
		if (option == 'n')
			options.check_only = true;
		else if (option == 'c')
			options.conf = optarg;
		else if (option == 'k')
			options.print_keys = true;
		else
			usage();
	}
	if (optind != argc)
		usage();
	return options;
}

/* --- programs --- */

static bool has_programs(const char *folder)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/sallyport-dataplane", folder);
	return n < PATH_MAX && !access(path, X_OK);
}

/* Beside sallyportd (a build folder), where an installed tree has them from there, or where they were to be installed. */
static void find_programs(char folder[PATH_MAX])
{
	char self[PATH_MAX], candidate[PATH_MAX + 32];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[n < 0 ? 0 : n] = 0;
	char *slash = strrchr(self, '/');
	if (slash)
		*slash = 0;
	snprintf(folder, PATH_MAX, "%s", self);
	if (slash && has_programs(folder))
		return;
	snprintf(candidate, sizeof(candidate), "%s/../lib/sallyport", self);
	if (slash && has_programs(candidate) && realpath(candidate, folder))
		return;
	snprintf(folder, PATH_MAX, "%s", LIBEXECDIR);
	if (!has_programs(folder))
		fatal("%s/sallyport-dataplane", folder);
}

/* --- running --- */

/* Descriptors 0 to 2 must be there, or others would take their numbers. */
static void open_standard_descriptors(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			exit(1);
}

static void block_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int run(const struct conf *conf, const char *path)
{
	char folder[PATH_MAX], name[PATH_MAX];
	struct wiring wiring;
	if (geteuid() != 0)
		fatalx("needs to be root (hint: sallyportd -n checks a configuration as any user)");
	find_programs(folder);
	if (!realpath(path, name))
		fatal("%s", path);
	block_signals();
	int rc = 1, sealed = conf_seal(conf);
	if (sealed < 0) {
		errno = -sealed;
		fatal("configuration");
	}
	if (!trial_passes(sealed, folder))
		fatalx("not started (hint: sallyport policy test %s)", name);
	if (!wiring_init(&wiring, sealed, conf->name, conf->workers)) {
		struct child_program program = {.folder = folder, .conf_name = name};
		rc = supervise(conf, &wiring, &program);
	}
	wiring_fini(&wiring);
	return rc;
}

int main(int argc, char **argv)
{
	open_standard_descriptors();
	log_init("sallyportd");
	struct options options = parse_options(argc, argv);
	if (options.print_keys) {
		conf_print_keys(stdout);
		return fflush(stdout) ? 1 : 0;
	}
	struct conf *conf = policy_read(options.conf, stderr);
	if (!conf)
		return 1;
	int rc = options.check_only ? 0 : run(conf, options.conf);
	conf_free(conf);
	return rc;
}
