/* type/timezone.h -- time zones of the system's zone files, for showing instants as local time.
 *
 * A TimeZone is read once from /usr/share/zoneinfo (or $TZDIR) into an arena and is constant then.
 * "UTC", "Z" and fixed offsets such as "+05:30" need no file.
 *
 * Owner: the arena.  Threads: a TimeZone may be read by any number of them. */
#pragma once

#include "base/arena.h"
#include "base/error.h"

typedef struct TimeZone TimeZone;

/* An unknown name is FERRIS_ERR_BAD_ARGUMENT. */
Status timezone_open(Arena *arena, Str name, TimeZone **zone, Error *err) FERRIS_MUST_CHECK;
/* Seconds to add to UTC at that instant, and the abbreviation ("CEST"), which lives as long as the
 * zone. */
int32_t timezone_offset(const TimeZone *zone, int64_t micros, Str *abbreviation);
/* Local civil time (as microseconds, as if it were UTC) to the instant.  A time that occurs twice
 * is the first one; a time that is skipped is moved on by the length of the gap. */
int64_t timezone_to_utc(const TimeZone *zone, int64_t local_micros);
