/* type/temporal_unit_list.h -- the units of EXTRACT, DATE_TRUNC, DATEDIFF and INTERVAL.
 *
 * UNIT(name, months, micros, uses)
 *   name    UNIT_<name> in C, and its name in SQL (a plural S is accepted too)
 *   months  length in months, or 0
 *   micros  length in microseconds, or 0 (a nanosecond is a thousandth of one)
 *   uses    what the unit may be used for: EXTRACT, TRUNCATE, DIFF, INTERVAL */
#ifndef UNIT
#error "define UNIT(name, months, micros, uses) before including type/temporal_unit_list.h"
#endif

#define UNIT_ALL (UNIT_EXTRACT | UNIT_TRUNCATE | UNIT_DIFF | UNIT_INTERVAL)

UNIT(NANOSECOND,     0, 0,                     UNIT_EXTRACT | UNIT_DIFF | UNIT_INTERVAL)
UNIT(MICROSECOND,    0, 1,                     UNIT_ALL)
UNIT(MILLISECOND,    0, 1000,                  UNIT_ALL)
UNIT(SECOND,         0, 1000000,               UNIT_ALL)
UNIT(MINUTE,         0, INT64_C(60000000),     UNIT_ALL)
UNIT(HOUR,           0, INT64_C(3600000000),   UNIT_ALL)
UNIT(DAY,            0, INT64_C(86400000000),  UNIT_ALL)
UNIT(WEEK,           0, INT64_C(604800000000), UNIT_ALL)
UNIT(MONTH,          1, 0,                     UNIT_ALL)
UNIT(QUARTER,        3, 0,                     UNIT_ALL)
UNIT(YEAR,          12, 0,                     UNIT_ALL)
UNIT(DECADE,       120, 0,                     UNIT_ALL)
UNIT(CENTURY,     1200, 0,                     UNIT_ALL)
UNIT(DOW,            0, 0,                     UNIT_EXTRACT)
UNIT(ISODOW,         0, 0,                     UNIT_EXTRACT)
UNIT(DOY,            0, 0,                     UNIT_EXTRACT)
UNIT(ISOYEAR,        0, 0,                     UNIT_EXTRACT)
UNIT(EPOCH,          0, 0,                     UNIT_EXTRACT)

#undef UNIT_ALL
#undef UNIT
