/* What kind of file some bytes are; see binary.h. Only how they begin is looked at: that is what a program is chosen by. */
#include <string.h>

#include "binary.h"

/* `lead` stands at the beginning, `mark` at its offset. The first row that fits is it. */
static const struct magic {
	const char *type;
	const char *lead;
	uint8_t lead_len, offset, mark_len;
	const char *mark;
} magics[] = {
#define BEGINS(type, bytes) {type, bytes, sizeof(bytes) - 1, 0, 0, ""}
#define HOLDS(type, bytes, offset, mark) {type, bytes, sizeof(bytes) - 1, offset, sizeof(mark) - 1, mark}
	BEGINS("image/png", "\x89PNG\r\n\x1a\n"),
	BEGINS("image/jpeg", "\xff\xd8\xff"),
	BEGINS("image/gif", "GIF87a"),
	BEGINS("image/gif", "GIF89a"),
	HOLDS("image/webp", "RIFF", 8, "WEBP"),
	HOLDS("audio/wav", "RIFF", 8, "WAVE"),
	HOLDS("video/x-msvideo", "RIFF", 8, "AVI "),
	BEGINS("image/tiff", "II*\0"),
	BEGINS("image/tiff", "MM\0*"),
	BEGINS("image/x-icon", "\0\0\1\0"),
	HOLDS("image/bmp", "BM", 6, "\0\0\0\0"),
	BEGINS("image/svg+xml", "<svg"),
	HOLDS("image/avif", "", 4, "ftypavif"),
	HOLDS("image/heic", "", 4, "ftyphei"),
	HOLDS("video/mp4", "", 4, "ftyp"),
	BEGINS("video/x-matroska", "\x1a\x45\xdf\xa3"),
	BEGINS("application/ogg", "OggS"),
	BEGINS("audio/mpeg", "ID3"),
	BEGINS("audio/mpeg", "\xff\xfb"),
	BEGINS("audio/flac", "fLaC"),
	BEGINS("application/pdf", "%PDF-"),
	BEGINS("application/rtf", "{\\rtf"),
	BEGINS("application/xml", "<?xml"),
	BEGINS("text/html", "<!DOCTYPE html"),
	BEGINS("text/html", "<!doctype html"),
	BEGINS("text/html", "<html"),
	BEGINS("text/html", "<script"),
	BEGINS("application/zip", "PK\3\4"),
	BEGINS("application/zip", "PK\5\6"),
	BEGINS("application/gzip", "\x1f\x8b"),
	BEGINS("application/x-7z-compressed", "7z\xbc\xaf\x27\x1c"),
	BEGINS("application/vnd.rar", "Rar!\x1a\7"),
	BEGINS("application/x-bzip2", "BZh"),
	BEGINS("application/x-xz", "\xfd" "7zXZ\0"),
	BEGINS("application/vnd.ms-cab-compressed", "MSCF"),
	BEGINS("application/x-ole-storage", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
	BEGINS("application/vnd.microsoft.portable-executable", "MZ"),
	BEGINS("application/x-elf", "\x7f" "ELF"),
	BEGINS("application/x-mach-binary", "\xcf\xfa\xed\xfe"),
	BEGINS("application/x-mach-binary", "\xce\xfa\xed\xfe"),
	BEGINS("application/x-java", "\xca\xfe\xba\xbe"),
	BEGINS("application/wasm", "\0asm"),
	BEGINS("application/x-ms-shortcut", "L\0\0\0\1\x14\2\0"),
	BEGINS("text/x-shellscript", "#!"),
};

/* What the same bytes are declared as, too; '*' at an end stands for any rest. */
static const struct {
	const char *declared, *found;
} aliases[] = {
	{"image/jpg", "image/jpeg"}, {"image/pjpeg", "image/jpeg"}, {"image/x-png", "image/png"}, {"image/apng", "image/png"},
	{"image/vnd.microsoft.icon", "image/x-icon"}, {"image/x-ms-bmp", "image/bmp"}, {"image/heif", "image/heic"},
	{"image/svg+xml", "application/xml"}, {"text/xml", "application/xml"}, {"application/xhtml+xml", "application/xml"},
	{"application/xhtml+xml", "text/html"}, {"text/rtf", "application/rtf"},
	{"audio/x-wav", "audio/wav"}, {"audio/wave", "audio/wav"}, {"audio/vnd.wave", "audio/wav"},
	{"audio/mp3", "audio/mpeg"}, {"audio/x-flac", "audio/flac"},
	{"audio/ogg", "application/ogg"}, {"video/ogg", "application/ogg"}, {"audio/opus", "application/ogg"},
	{"audio/mp4", "video/mp4"}, {"audio/x-m4a", "video/mp4"}, {"video/quicktime", "video/mp4"}, {"video/3gpp", "video/mp4"},
	{"video/webm", "video/x-matroska"}, {"audio/webm", "video/x-matroska"},
	{"application/x-pdf", "application/pdf"}, {"application/x-gzip", "application/gzip"},
	{"application/x-zip-compressed", "application/zip"}, {"application/epub+zip", "application/zip"},
	{"application/java-archive", "application/zip"}, {"application/vnd.android.package-archive", "application/zip"},
	{"application/vnd.oasis.opendocument.*", "application/zip"},
	{"application/vnd.openxmlformats-officedocument.*", "application/zip"},
	{"application/msword", "application/x-ole-storage"}, {"application/vnd.ms-excel", "application/x-ole-storage"},
	{"application/vnd.ms-powerpoint", "application/x-ole-storage"},
};

enum { MAGICS = sizeof(magics) / sizeof(*magics), ALIASES = sizeof(aliases) / sizeof(*aliases) };

static bool has(const uint8_t *bytes, size_t len, size_t offset, const char *mark, size_t mark_len)
{
	return offset + mark_len <= len && !memcmp(bytes + offset, mark, mark_len);
}

const char *binary_type(const uint8_t *bytes, size_t len)
{
	for (const struct magic *magic = magics; magic < magics + MAGICS; magic++)
		if (has(bytes, len, 0, magic->lead, magic->lead_len) &&
			has(bytes, len, magic->offset, magic->mark, magic->mark_len))
			return magic->type;
	return "";
}

static bool is_declared(const char *pattern, const char *declared)
{
	size_t len = strlen(pattern);

	return pattern[len - 1] == '*' ? !strncmp(pattern, declared, len - 1) : !strcmp(pattern, declared);
}

static bool is_known(const char *declared)
{
	for (unsigned i = 0; i < MAGICS; i++)
		if (!strcmp(magics[i].type, declared))
			return true;
	for (unsigned i = 0; i < ALIASES; i++)
		if (is_declared(aliases[i].declared, declared))
			return true;
	return false;
}

bool binary_type_fits(const char *declared, const char *found)
{
	if (!*declared || !strcmp(declared, "application/octet-stream") || !strcmp(declared, found))
		return true;
	if (!*found)
		return !is_known(declared);
	for (unsigned i = 0; i < ALIASES; i++)
		if (!strcmp(aliases[i].found, found) && is_declared(aliases[i].declared, declared))
			return true;
	return false;
}
