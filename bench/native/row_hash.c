/* bench/native/row_hash.c -- tells whether two outputs hold the same rows, in whatever order.
 *
 *     row_hash json|csv < FILE       prints the number of rows and a hash of all of them
 *
 * Compared is what the values say, not how they are spelled: quotes are taken off, and 1.50 equals
 * 1.5.  Keys of JSON objects are not compared, their order is.  A CSV file begins with a header.
 * The hashes of the rows are added up, so the order of rows does not matter. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FNV_START UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)
#define FIELD_END 0x1f

static uint64_t
hash_bytes(uint64_t hash, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)data[i]) * FNV_PRIME;
	return hash;
}

/* Spreads a row's hash over all bits, because the rows are added. */
static uint64_t
hash_finish(uint64_t hash)
{
	hash = (hash ^ (hash >> 33)) * UINT64_C(0xff51afd7ed558ccd);
	hash = (hash ^ (hash >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
	return hash ^ (hash >> 33);
}

static bool
is_number(const char *field, size_t len)
{
	if (len == 0 || len > 60)
		return false;
	return strspn(field, "+-0123456789.") >= len;
}

static uint64_t
hash_field(uint64_t hash, const char *field, size_t len)
{
	if (is_number(field, len) && memchr(field, '.', len) != NULL) {
		while (field[len - 1] == '0')
			len--;
		if (field[len - 1] == '.')
			len--;
	}
	static const char end = FIELD_END;

	return hash_bytes(hash_bytes(hash, field, len), &end, 1);
}

/* The end of a quoted text that begins at p: its closing quote. */
static const char *
quote_end(const char *p, const char *end)
{
	for (; p < end && *p != '"'; p++)
		if (*p == '\\')
			p++;
	return p < end ? p : end;
}

static uint64_t
hash_json_row(const char *p, const char *end)
{
	uint64_t hash = FNV_START;
	bool value = false;

	while (p < end) {
		if (*p == '"') {
			const char *close = quote_end(p + 1, end);

			if (value)
				hash = hash_field(hash, p + 1, (size_t)(close - p - 1));
			value = false;
			p = close < end ? close + 1 : end;
		} else if (*p == ':') {
			value = true;
			p++;
		} else if (value && *p != ' ') {
			size_t len = strcspn(p, ",} \n");

			hash = hash_field(hash, p, len);
			value = false;
			p += len;
		} else {
			p++;
		}
	}
	return hash_finish(hash);
}

static uint64_t
hash_csv_row(const char *p, const char *end)
{
	uint64_t hash = FNV_START;

	while (p < end) {
		bool quoted = *p == '"';
		const char *begin = p + quoted;
		const char *close = quoted ? quote_end(begin, end) : NULL;

		if (!quoted) {
			close = memchr(p, ',', (size_t)(end - p));
			if (close == NULL)
				close = end;
		}
		hash = hash_field(hash, begin, (size_t)(close - begin));
		p = close + quoted + 1;
	}
	return hash_finish(hash);
}

int
main(int argc, char **argv)
{
	bool csv = argc == 2 && strcmp(argv[1], "csv") == 0;
	uint64_t rows = 0, sum = 0;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	if (!csv && (argc != 2 || strcmp(argv[1], "json") != 0)) {
		fputs("usage: row_hash json|csv < FILE\n", stderr);
		return 2;
	}
	if (csv && getline(&line, &size, stdin) < 0)
		fputs("no header\n", stderr);
	while ((len = getline(&line, &size, stdin)) > 0) {
		while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
			line[--len] = '\0';
		if (len == 0)
			continue;
		sum += csv ? hash_csv_row(line, line + len) : hash_json_row(line, line + len);
		rows++;
	}
	free(line);
	printf("%" PRIu64 " %016" PRIx64 "\n", rows, sum);
	return ferror(stdin) ? 3 : 0;
}
