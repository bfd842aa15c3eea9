/* type/timezone.c -- reading zone files (TZif, RFC 8536) and looking instants up in them.
 *
 * A zone is a list of transitions, each to a local time type (offset, abbreviation), and a rule for
 * everything after the last one, written as a POSIX TZ string.  The file is checked as it is
 * read, so that looking up needs no checks. */
#include "type/timezone.h"

#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"
#include "type/digits.h"
#include "type/temporal.h"
#include "type/timezone_rule.h"

#define ZONE_DIRECTORY "/usr/share/zoneinfo"
#define ZONE_PATH_MAX 512
#define ZONE_FILE_MAX (256 * 1024)
#define HEADER_SIZE 44
#define TYPE_SIZE 6
#define ABBREVIATION_MAX 64
#define OFFSET_LIMIT (26 * 3600)
#define SEARCH_MARGIN MICROS_PER_DAY /* no zone changes its clock twice within that */

typedef struct LocalType {
	int32_t offset; /* seconds to add to UTC */
	Str abbreviation;
} LocalType;

struct TimeZone {
	uint32_t transition_count;
	int64_t *transitions;   /* seconds, ascending */
	uint8_t *transition_types;
	LocalType *types;       /* types[0] is in force before the first transition */
	bool has_rule;          /* after the last transition */
	ZoneRule rule;
};

/* ---- reading ---- */

/* The six counts of a header, and where its data starts. */
typedef struct Header {
	int version;
	uint32_t utc_indicators;
	uint32_t standard_indicators;
	uint32_t leap_seconds;
	uint32_t transitions;
	uint32_t types;
	uint32_t characters;
} Header;

static uint64_t
read_big_endian(const unsigned char *p, int size)
{
	uint64_t v = 0;

	for (int i = 0; i < size; i++)
		v = v << 8 | p[i];
	return v;
}

static bool
read_header(const unsigned char *p, size_t len, Header *header)
{
	if (len < HEADER_SIZE || memcmp(p, "TZif", 4) != 0)
		return false;
	*header = (Header){
		.version = p[4] == 0 ? 1 : p[4] - '0',
		.utc_indicators = (uint32_t)read_big_endian(p + 20, 4),
		.standard_indicators = (uint32_t)read_big_endian(p + 24, 4),
		.leap_seconds = (uint32_t)read_big_endian(p + 28, 4),
		.transitions = (uint32_t)read_big_endian(p + 32, 4),
		.types = (uint32_t)read_big_endian(p + 36, 4),
		.characters = (uint32_t)read_big_endian(p + 40, 4),
	};
	return header->types > 0 && header->types <= 256;
}

/* Bytes of data after a header whose times have `time_size` bytes.  No sum of 32-bit counts
 * overflows 64 bits. */
static uint64_t
data_size(const Header *h, unsigned time_size)
{
	return (uint64_t)h->transitions * (time_size + 1) + (uint64_t)h->types * TYPE_SIZE +
	       h->characters + (uint64_t)h->leap_seconds * (time_size + 4) +
	       h->standard_indicators + h->utc_indicators;
}

/* `p` is the data of `h`, whose size has been checked. */
static bool
read_types(Arena *arena, const Header *h, const unsigned char *p, TimeZone *zone)
{
	const unsigned char *characters = p + (size_t)h->types * TYPE_SIZE;

	zone->types = ARENA_ARRAY(arena, LocalType, h->types);
	for (uint32_t i = 0; i < h->types; i++, p += TYPE_SIZE) {
		int32_t offset = (int32_t)(uint32_t)read_big_endian(p, 4);
		uint32_t start = p[5];

		if (offset < -OFFSET_LIMIT || offset > OFFSET_LIMIT || start >= h->characters)
			return false;
		size_t length = strnlen((const char *)characters + start, h->characters - start);
		if (length > ABBREVIATION_MAX)
			return false;
		zone->types[i] = (LocalType){
			.offset = offset,
			.abbreviation = {arena_copy(arena, characters + start, length),
			                 (uint32_t)length},
		};
	}
	return true;
}

static bool
read_data(Arena *arena, const Header *h, const unsigned char *p, int time_size, TimeZone *zone)
{
	const unsigned char *indices = p + (size_t)h->transitions * (size_t)time_size;

	zone->transition_count = h->transitions;
	zone->transitions = ARENA_ARRAY(arena, int64_t, h->transitions);
	zone->transition_types = ARENA_ARRAY(arena, uint8_t, h->transitions);
	for (uint32_t i = 0; i < h->transitions; i++) {
		uint64_t bits = read_big_endian(p + (size_t)i * (size_t)time_size, time_size);

		zone->transitions[i] = time_size == 4 ? (int32_t)(uint32_t)bits : (int64_t)bits;
		zone->transition_types[i] = indices[i];
		if (indices[i] >= h->types ||
		    (i > 0 && zone->transitions[i] <= zone->transitions[i - 1]))
			return false;
	}
	return read_types(arena, h, indices + h->transitions, zone);
}

/* The text between two newlines after the data; empty: no rule. */
static bool
read_footer(Arena *arena, const char *p, size_t len, TimeZone *zone)
{
	if (len < 2 || p[0] != '\n')
		return false;
	const char *end = memchr(p + 1, '\n', len - 1);
	if (end == NULL)
		return false;
	Str text = str_copy(arena, (Str){p + 1, (uint32_t)(end - p - 1)});
	zone->has_rule = text.len > 0;
	return text.len == 0 || zone_rule_parse(text, &zone->rule);
}

/* NULL, or why the file is not usable. */
static const char *
read_zone(Arena *arena, const char *data, size_t len, TimeZone *zone)
{
	const unsigned char *p = (const unsigned char *)data;
	const unsigned char *end = p + len;
	Header header;
	int time_size = 4;

	if (!read_header(p, len, &header))
		return "it is not a zone file";
	p += HEADER_SIZE;
	if (data_size(&header, 4) > (uint64_t)(end - p))
		return "it is cut short";
	if (header.version >= 2) {
		/* The first part, with 32-bit times, is for older readers. */
		p += data_size(&header, 4);
		if (!read_header(p, (size_t)(end - p), &header))
			return "its second part is damaged";
		p += HEADER_SIZE;
		time_size = 8;
		if (data_size(&header, 8) > (uint64_t)(end - p))
			return "it is cut short";
	}
	if (header.leap_seconds > 0)
		return "it counts leap seconds, which SQL time does not";
	if (!read_data(arena, &header, p, time_size, zone))
		return "its transitions are damaged";
	p += data_size(&header, (unsigned)time_size);
	if (time_size == 8 &&
	    !read_footer(arena, (const char *)p, (size_t)(end - p), zone))
		return "its rule is damaged";
	return NULL;
}

/* A name is a path below the zone directory and nothing else. */
static bool
is_zone_name(Str name)
{
	if (name.len == 0 || name.data[0] == '/' || name.data[0] == '.')
		return false;
	for (uint32_t i = 0; i < name.len; i++) {
		char c = name.data[i];
		bool letter = (unsigned char)((c | 0x20) - 'a') < 26;

		if (!letter && !digit_is(c) && c != '/' && c != '_' && c != '+' && c != '-')
			return false;
	}
	return true;
}

/* UTC, Z, GMT, or +hh[:mm]; false if it is neither of them. */
static bool
find_fixed(Arena *arena, Str name, TimeZone *zone)
{
	int32_t seconds = 0;

	if (!str_eq_nocase(name, STR("UTC")) && !str_eq_nocase(name, STR("Z")) &&
	    !str_eq_nocase(name, STR("GMT"))) {
		int32_t hours;
		int32_t minutes = 0;
		const char *p = name.data;

		if ((name.len != 3 && name.len != 6) || (p[0] != '+' && p[0] != '-') ||
		    !digit_is(p[1]) || !digit_is(p[2]))
			return false;
		hours = (p[1] - '0') * 10 + (p[2] - '0');
		if (name.len == 6) {
			if (p[3] != ':' || !digit_is(p[4]) || !digit_is(p[5]))
				return false;
			minutes = (p[4] - '0') * 10 + (p[5] - '0');
		}
		if (hours > 23 || minutes > 59)
			return false;
		seconds = hours * 3600 + minutes * 60;
		if (p[0] == '-')
			seconds = -seconds;
	}
	zone->types = ARENA_NEW(arena, LocalType);
	zone->types[0].offset = seconds;
	zone->types[0].abbreviation =
		str_copy(arena, str_eq_nocase(name, STR("Z")) ? STR("UTC") : name);
	return true;
}

static Status
unknown_zone(Str name, Error *err)
{
	error_set(err, FERRIS_ERR_BAD_ARGUMENT, "there is no time zone '%.*s'", STR_ARG(name));
	return error_hint(err, "write a name such as 'Europe/Berlin', 'UTC', or an offset such as "
	                       "'+05:30'");
}

Status
timezone_open(Arena *arena, Str name, TimeZone **zone, Error *err)
{
	const char *directory = getenv("TZDIR");
	char path[ZONE_PATH_MAX];
	TimeZone *opened = ARENA_NEW(arena, TimeZone);

	if (find_fixed(arena, name, opened)) {
		*zone = opened;
		return FERRIS_OK;
	}
	if (directory == NULL || directory[0] == '\0')
		directory = ZONE_DIRECTORY;
	if (!is_zone_name(name) ||
	    snprintf(path, sizeof path, "%s/%.*s", directory, STR_ARG(name)) >= (int)sizeof path)
		return unknown_zone(name, err);
	FILE *in = fopen(path, "rb");
	if (in == NULL && (errno == ENOENT || errno == ENOTDIR))
		return unknown_zone(name, err);
	if (in == NULL) {
		int code = errno;

		error_set(err, FERRIS_ERR_FILE_OPEN, "cannot open time zone file '%s'", path);
		return error_errno(err, code);
	}
	char *data = memory_alloc(ZONE_FILE_MAX);
	size_t len = fread(data, 1, ZONE_FILE_MAX, in);
	fclose(in);
	const char *reason = len > 0 ? read_zone(arena, data, len, opened) : NULL;
	memory_free(data);
	/* A directory opens, and then reads as nothing. */
	if (len == 0)
		return unknown_zone(name, err);
	if (reason != NULL)
		return error_set(err, FERRIS_ERR_BAD_ARGUMENT,
		                 "time zone file '%s' cannot be used: %s", path, reason);
	*zone = opened;
	return FERRIS_OK;
}

/* ---- looking up ---- */

/* Number of transitions at or before `seconds`. */
static uint32_t
transitions_before(const TimeZone *zone, int64_t seconds)
{
	uint32_t low = 0;
	uint32_t high = zone->transition_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (zone->transitions[middle] <= seconds)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int32_t
timezone_offset(const TimeZone *zone, int64_t micros, Str *abbreviation)
{
	int64_t seconds = timestamp_to_seconds(micros);
	uint32_t passed = transitions_before(zone, seconds);

	if (passed == zone->transition_count && zone->has_rule)
		return zone_rule_offset(&zone->rule, seconds, abbreviation);
	const LocalType *type = &zone->types[passed > 0 ? zone->transition_types[passed - 1] : 0];
	*abbreviation = type->abbreviation;
	return type->offset;
}

int64_t
timezone_to_utc(const TimeZone *zone, int64_t local_micros)
{
	Str unused;
	int32_t before = timezone_offset(zone, local_micros - SEARCH_MARGIN, &unused);
	int32_t after = timezone_offset(zone, local_micros + SEARCH_MARGIN, &unused);
	int64_t first = local_micros - before * MICROS_PER_SECOND;
	int64_t second = local_micros - after * MICROS_PER_SECOND;

	if (before == after || timezone_offset(zone, first, &unused) == before)
		return first;
	if (timezone_offset(zone, second, &unused) == after)
		return second;
	/* Skipped: with the old offset it falls behind the gap, by its length. */
	return first;
}
