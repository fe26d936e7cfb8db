/*
 * Writes the table of policy/lookalikes.c: characters that are no ASCII and look like one letter or digit of ASCII, as
 * Unicode says (UTS 39, confusables), which ICU has.
 */
#include <ctype.h>
#include <stdio.h>
#include <unicode/uchar.h>
#include <unicode/uspoof.h>

static int skeleton(const USpoofChecker *checker, UChar32 c)
{
	UChar text[2], out[8];
	UErrorCode error = U_ZERO_ERROR;
	int32_t len = 0;
	U16_APPEND_UNSAFE(text, len, c);
	int32_t n = uspoof_getSkeleton(checker, 0, text, len, out, 8, &error);
	return U_SUCCESS(error) && n == 1 && out[0] < 0x80 && isalnum(out[0]) ? tolower(out[0]) : 0;
}

int main(void)
{
	UErrorCode error = U_ZERO_ERROR;
	USpoofChecker *checker = uspoof_open(&error);
	unsigned count = 0;
	if (U_FAILURE(error))
		return 1;
	for (UChar32 c = 0x80; c <= UCHAR_MAX_VALUE; c++) {
		int ascii = U_IS_SURROGATE(c) || !u_isdefined(c) ? 0 : skeleton(checker, c);
		if (ascii)
			printf("{0x%04x, '%c'},%s", (unsigned)c, ascii, ++count % 6 ? " " : "\n");
	}
	uspoof_close(checker);
	return count < 1000 || puts("") < 0 || fflush(stdout);
}
