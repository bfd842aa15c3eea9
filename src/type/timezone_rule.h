/* type/timezone_rule.h -- the POSIX TZ string, the rule for times after a zone's last transition.
 *
 * "CET-1CEST,M3.5.0,M10.5.0/3": standard time one hour east of UTC, daylight saving time from the
 * last Sunday in March, 2 o'clock, to the last Sunday in October, 3 o'clock.
 *
 * The abbreviations point into the text.  Threads: everything here is pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

typedef enum RuleDayKind {
	RULE_DAY_JULIAN, /* Jn: 1..365, 29 February never counts */
	RULE_DAY_ZERO,   /* n: 0..365, 29 February counts */
	RULE_DAY_WEEK,   /* Mm.w.d: weekday d of week w (5 = last) of month m */
} RuleDayKind;

typedef struct RuleDay {
	RuleDayKind kind;
	int32_t month;
	int32_t week;
	int32_t day;
	int32_t time; /* seconds after local midnight; may be negative or more than a day */
} RuleDay;

typedef struct ZoneRule {
	Str standard;
	int32_t standard_offset; /* seconds to add to UTC */
	bool has_daylight;
	Str daylight;
	int32_t daylight_offset;
	RuleDay start;           /* of daylight saving time */
	RuleDay end;
} ZoneRule;

bool zone_rule_parse(Str text, ZoneRule *rule);
int32_t zone_rule_offset(const ZoneRule *rule, int64_t seconds, Str *abbreviation);
