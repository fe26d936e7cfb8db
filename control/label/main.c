/*
 * sallyport-label, which `sallyport label` runs: looks at security policies, labels and clearances in files,
	and says what
 * the guard would say. Files are read first; what is in them is parsed in a sandbox.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "control/label/print.h"
#include "dataplane/base/log.h"
#include "dataplane/base/sandbox.h"
#include "policy/label/label_form.h"
#include "policy/label/map.h"

enum {
	EXIT_NO = 1,           /* it is not valid, is denied, has no mapping, or has faults */
	EXIT_USAGE = 2,
	POLICIES_MAX = 32,
	WORDS_MAX = 2,
	FILE_BYTES_MAX = 32 << 20,
	MEMORY_MIB_MAX = 2048,
	ARENA_BYTES = 64 << 20,
	NOBODY = 65534,
};

struct file {
	const char *name;
	char *bytes;
	size_t len;
};

struct work {
	struct file policy_files[POLICIES_MAX];
	unsigned policy_count;
	struct file files[WORDS_MAX];
	struct spif *policies[POLICIES_MAX];
	struct spif_set set;
	const char *language, *form;
	bool ber, inbound, quiet;
	struct arena *arena;
	const char *path;              /* of the policy that is being read */
	bool told_error;
};

static int usage(void)
{
	fputs("usage: sallyport label policy FILE                  what is wrong with a security policy (SPIF)\n"
	      "       sallyport label -p SPIF show FILE            a label or clearance, as what, and is it valid?\n"
	      "       sallyport label -p SPIF check LABEL          is it valid, and if not, why not?\n"
	      "       sallyport label -p SPIF access LABEL CLEARANCE    does the clearance grant access?\n"
	      "       sallyport label -p SPIF map LABEL POLICY     as one of the policy with that name\n"
	      "  -p FILE   a security policy; there may be several\n"
	      "  -f FORM   show it, or what it is mapped to, as ess (base64), der, 4774 or spiffy\n"
	      "  -l TAG    language of the display marking\n"
	      "  -i        map for who receives it, not for who sends it\n"
	      "  -b        take BER as well as DER\n"
	      "Files are XML, base64 or DER. Status 1: no.\n",
		stderr);
	return EXIT_USAGE;
}

/* --- files --- */

static bool load(struct file *file, const char *name)
{
	struct stat st;
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	bool done = fd >= 0 && !fstat(fd, &st);
	if (done && (!S_ISREG(st.st_mode) || st.st_size > FILE_BYTES_MAX)) {
		errno = EFBIG;
		done = false;
	}
	file->name = name;
	file->bytes = done ? malloc((size_t)st.st_size + 1) : NULL;
	ssize_t n = file->bytes ? read(fd, file->bytes, (size_t)st.st_size) : -1;
	file->len = n > 0 ? (size_t)n : 0;
	if (n < 0)
		fprintf(stderr, "sallyport: %s: %s\n", name, strerror(errno));
	if (fd >= 0)
		close(fd);
	return n >= 0;
}

static void tell(void *owner, int line, bool is_error, const char *text)
{
	struct work *work = owner;
	if (is_error || !work->quiet)
		fprintf(is_error ? stderr : stdout, "%s:%d: %s%s\n", work->path, line,
		is_error ? "" : "warning: ", text);
	work->told_error |= is_error;
}

static bool read_policies(struct work *work)
{
	const struct spif_report report = {tell, work};
	work->set.policies = work->policies;
	for (unsigned i = 0; i < work->policy_count; i++) {
		work->path = work->policy_files[i].name;
		struct spif *spif = spif_read(work->policy_files[i].bytes, work->policy_files[i].len, &report);
		if (!spif)
			return false;
		work->policies[work->set.count++] = spif;
	}
	return true;
}

/* --- reading one --- */

static struct label_reader reader_of(struct work *work)
{
	return (struct label_reader){.set = &work->set, .arena = work->arena, .ber = work->ber, .why = "no memory"};
}

static bool read_label(struct work *work, const struct file *file, struct label *label)
{
	struct label_reader reader = reader_of(work);
	if (!label_read_bytes(&reader, file->bytes, file->len, label))
		return true;
	fprintf(stderr, "sallyport: %s is no label: %s\n", file->name, reader.why);
	return false;
}

static bool read_clearance(struct work *work, const struct file *file, struct clearance *clearance)
{
	struct label_reader reader = reader_of(work);
	if (!clearance_read_bytes(&reader, file->bytes, file->len, clearance))
		return true;
	fprintf(stderr, "sallyport: %s is no clearance: %s\n", file->name, reader.why);
	return false;
}

static const struct spif *policy_of(const struct work *work, const char *id)
{
	const struct spif *spif = spif_by_id(&work->set, id);
	if (!spif)
		fprintf(stderr, "sallyport: policy %s is not known (hint: -p FILE with its SPIF)\n",
		*id ? id : "none");
	return spif;
}

static bool is_valid(const struct spif *spif, const struct label *label, struct known_label *known,
	struct label_reason *why)
{
	const struct label_terms terms = {.now = time(NULL)};
	return label_known(spif, label, known, why) && label_is_valid(known, label->privacy_mark, &terms, why);
}

/* --- commands --- */

static int say(bool yes, const char *what, const struct label_reason *why)
{
	if (yes)
		printf("%s: yes\n", what);
	else
		printf("%s: no: %s (%s)\n", what, why->text, why->rule);
	return yes ? 0 : EXIT_NO;
}

static int run_policy(struct work *work)
{
	const struct spif_report report = {tell, work};
	work->path = work->files[0].name;
	struct spif *spif = spif_read(work->files[0].bytes, work->files[0].len, &report);
	if (!spif)
		return EXIT_NO;
	print_policy(spif);
	spif_free(spif);
	return 0;
}

static int print_as(struct work *work, const struct label *label)
{
	if (print_label_form(spif_by_id(&work->set, label->policy), work->arena, label, work->form, time(NULL)))
		return 0;
	fprintf(stderr, "sallyport: it cannot be written as %s (hint: ess, der, 4774 or spiffy; 4774 needs its "
		"policy)\n", work->form);
	return EXIT_NO;
}

static int show_clearance(struct work *work)
{
	struct clearance clearance;
	if (!read_clearance(work, &work->files[0], &clearance))
		return EXIT_NO;
	const struct spif *spif = spif_by_id(&work->set, clearance.policy);
	if (!work->form) {
		print_clearance(spif, &clearance);
		return 0;
	}
	if (print_clearance_form(spif, work->arena, &clearance, work->form))
		return 0;
	fprintf(stderr, "sallyport: it cannot be written as %s (hint: ess, der, 4774 or spiffy; 4774 needs its "
		"policy)\n", work->form);
	return EXIT_NO;
}

/* Whichever of the two it is. */
static int run_show(struct work *work)
{
	struct label_reader reader = reader_of(work);
	struct label_reason why = {.rule = ""};
	struct known_label known;
	struct clearance clearance;
	struct label label;
	if (label_read_bytes(&reader, work->files[0].bytes, work->files[0].len, &label)) {
		struct label_reader other = reader_of(work);
		if (!clearance_read_bytes(&other, work->files[0].bytes, work->files[0].len, &clearance))
			return show_clearance(work);
		fprintf(stderr, "sallyport: %s is no label: %s; and no clearance: %s\n", work->files[0].name,
		reader.why, other.why);
		return EXIT_NO;
	}
	if (work->form)
		return print_as(work, &label);
	const struct spif *spif = spif_by_id(&work->set, label.policy);
	print_label(spif, &label);
	if (!spif)
		return policy_of(work, label.policy) ? 0 : EXIT_NO;
	if (!is_valid(spif, &label, &known, &why))
		return say(false, "valid", &why);
	print_marking(&known, work->language);
	return say(true, "valid", &why);
}

static int run_check(struct work *work)
{
	struct label_reason why = {.rule = ""};
	struct known_label known;
	struct label label;
	if (!read_label(work, &work->files[0], &label))
		return EXIT_NO;
	const struct spif *spif = policy_of(work, label.policy);
	return spif ? say(is_valid(spif, &label, &known, &why), "valid", &why) : EXIT_NO;
}

static int run_access(struct work *work)
{
	struct label_reason valid = {.rule = ""}, granted = {.rule = ""};
	struct clearance clearance;
	struct known_label known;
	struct label label;
	if (!read_label(work, &work->files[0], &label) || !read_clearance(work, &work->files[1], &clearance))
		return EXIT_NO;
	const struct spif *spif = policy_of(work, label.policy), *other = policy_of(work, clearance.policy);
	struct known_clearance *cleared = spif && other ? clearance_known(other, &clearance, &granted) : NULL;
	if (!cleared)
		return EXIT_NO;
	bool is = is_valid(spif, &label, &known, &valid);
	int rc = say(is, "valid", &valid);
	if (label_known(spif, &label, &known, &granted))
		rc |= say(label_is_granted(&known, cleared, &granted), "granted", &granted);
	puts(rc ? "decision: refuse" : "decision: pass");
	clearance_free(cleared);
	return rc;
}

/* By its name, or one of those that a policy has as equivalent. */
static const char *find_policy(const struct work *work, const char *name)
{
	const struct spif *spif = spif_by_name(&work->set, name);
	if (spif)
		return spif->id;
	for (unsigned i = 0; i < work->set.count; i++)
		for (unsigned j = 0; j < work->policies[i]->equivalent_count; j++)
			if (!strcmp(work->policies[i]->equivalents[j].name, name))
				return work->policies[i]->equivalents[j].id;
	return NULL;
}

static int run_map(struct work *work)
{
	struct label_reason why = {.rule = ""};
	struct label label, mapped;
	const char *to = find_policy(work, work->files[1].name);
	if (!to) {
		fprintf(stderr, "sallyport: no policy has the name %s, nor equivalents of it\n", work->files[1].name);
		return EXIT_NO;
	}
	if (!read_label(work, &work->files[0], &label))
		return EXIT_NO;
	const struct label_mapping mapping = {.policies = &work->set, .to = to,
		.applied = work->inbound ? SPIF_DECRYPT : SPIF_ENCRYPT, .terms = {.now = time(NULL),
		.is_ours = true}};
	if (label_map(&mapping, work->arena, &label, &mapped, &why))
		return say(false, "mapped", &why);
	if (work->form)
		return print_as(work, &mapped);
	print_label(spif_by_id(&work->set, to), &mapped);
	return say(true, "mapped", &why);
}

static const struct command {
	const char *name;
	int words;
	bool second_is_name;
	int (*run)(struct work *work);
} commands[] = {
	{"policy", 1, false, run_policy},
	{"show", 1, false, run_show},
	{"check", 1, false, run_check},
	{"access", 2, false, run_access},
	{"map", 2, true, run_map},
};

static const struct command *find_command(int argc, char **argv)
{
	for (size_t i = 0; argc > 0 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i].name, argv[0]) && argc == 1 + commands[i].words)
			return &commands[i];
	return NULL;
}

static void enter_sandbox(void)
{
	const struct sandbox sandbox = {.uid = NOBODY, .gid = NOBODY,
		.memory_max_bytes = (uint64_t)MEMORY_MIB_MAX << 20,
		.files_max = 16, .syscalls = (const int[]){-1}};
	tzset();
	if (geteuid() ? sandbox_enter_unprivileged(&sandbox) : sandbox_enter(&sandbox))
		fatalx("sandbox");
}

static bool take_options(struct work *work, int argc, char **argv)
{
	int option;
	while ((option = getopt(argc, argv, "+p:f:l:ib")) != -1)
		switch (option) {
		case 'p':
			if (work->policy_count == POLICIES_MAX || !load(&work->policy_files[work->policy_count++], optarg))
				return false;
			break;
		case 'f': work->form = optarg; break;
		case 'l': work->language = optarg; break;
		case 'i': work->inbound = true; break;
		case 'b': work->ber = true; break;
		default: return false;
		}
	return true;
}

int main(int argc, char **argv)
{
	static struct work work = {.language = "", .quiet = true};
	if (!take_options(&work, argc, argv))
		return usage();
	const struct command *command = find_command(argc - optind, argv + optind);
	if (!command)
		return usage();
	for (int i = 0; i < command->words; i++) {
		work.files[i].name = argv[optind + 1 + i];
		if (!(i && command->second_is_name) && !load(&work.files[i], argv[optind + 1 + i]))
			return EXIT_NO;
	}
	work.quiet = strcmp(command->name, "policy") != 0;
	work.arena = arena_new(ARENA_BYTES);
	enter_sandbox();
	if (!work.arena || !read_policies(&work))
		return EXIT_NO;
	int rc = command->run(&work);
	return fflush(stdout) ? EXIT_NO : rc;
}
