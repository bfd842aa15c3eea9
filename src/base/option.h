/* base/option.h -- options as rows: name, type, default, range, one sentence.
 *
 * A module publishes its options as an array of OptionRow whose index is an enum of its own, and
 * reads the resolved settings by that index:
 *
 *     TRY(options_resolve(&csv_options, given, arena, &settings, err));
 *     char delimiter = settings[CSV_DELIMITER].text.data[0];
 *
 * Parsing, checks, "did you mean", SHOW CONFIG and docs/configuration.md come from the rows.
 * A row whose name ends in '*' stands for every name with that prefix ("kafka.*"): it is passed on
 * and not resolved to a setting. */
#pragma once

#include <string.h>

#include "base/arena.h"
#include "base/error.h"

typedef enum OptionType {
	OPTION_STRING,
	OPTION_BOOLEAN, /* true, false, yes, no, on, off, 1, 0 */
	OPTION_INTEGER,
	OPTION_FLOAT,
	OPTION_DURATION,  /* milliseconds; a bare number, or 100ms 5s 2m 1h */
	OPTION_SIZE,      /* bytes; a bare number, or 64KB 16MB 1GB (powers of 1024) */
	OPTION_CHARACTER, /* one byte; \t is a tab */
	OPTION_CHOICE,    /* one of the words in `choices` */
	OPTION_PREFIX,    /* name ends in '*' */
} OptionType;

typedef struct OptionRow {
	const char *name;
	OptionType type;
	const char *initial; /* default as text; NULL = none, the setting is then absent */
	double min, max;     /* of numbers, when max > min */
	const char *choices; /* of OPTION_CHOICE: "a|b|c" */
	const char *aliases; /* further names: "a|b", or NULL */
	const char *doc;     /* one sentence */
} OptionRow;

typedef struct OptionGroup {
	const char *name; /* "csv", "file source": a heading in the documentation */
	const OptionRow *rows;
	uint32_t count;
} OptionGroup;

/* Where a value comes from.  The first three are the user's. */
#define ORIGIN_USER         "user" /* a WITH, a file of options, -- Property */
#define ORIGIN_SET          "SET"
#define ORIGIN_COMMAND_LINE "--set"
#define ORIGIN_STRATEGY     "strategy"  /* a batch strategy suggests it */
#define ORIGIN_GUARANTEE    "guarantee" /* the guarantee needs it */
#define ORIGIN_DEFAULT      "default"

/* One key and value as the user gave it. */
typedef struct OptionEntry {
	Str key;
	Str value; /* after ${VAR} expansion */
	Position key_at;
	Position value_at;
	const char *origin; /* "user" from the SQL, "--set", ... */
	const char *place;  /* "line 3 of 'kafka.yaml'", if it is neither; or NULL */
	bool *used;         /* set when some group takes it; copies share it; may be NULL */
} OptionEntry;

typedef struct Options {
	OptionEntry *entries;
	uint32_t count;
} Options;

typedef struct Setting {
	const OptionRow *row;
	bool present;             /* given, or has a default */
	const char *origin;       /* "user", "default", ... */
	const OptionEntry *entry; /* what the user gave, or NULL */
	Str text;        /* as given; CHARACTER: the one byte; CHOICE: in the list's spelling */
	int64_t integer; /* INTEGER, DURATION (ms), SIZE (bytes); CHOICE: index in choices */
	double real;
	bool flag;
} Setting;

static inline bool
is_suggestion(const OptionEntry *entry)
{
	return entry->origin != NULL && strcmp(entry->origin, ORIGIN_STRATEGY) == 0;
}

/* Resolve every row of the group from `given` (the last entry of a name wins) and mark what it
 * used, but for what is passed on; *settings has group->count entries in row order, in the
 * arena. */
Status options_resolve(const OptionGroup *group, Options *given, Arena *arena, Setting **settings,
		       Error *err);
/* What it can be: "1 to 64", "1s to 1h", "on|off"; "": anything of its type. */
void option_print_values(const OptionRow *row, char *out, size_t size);
/* "duration", "size", "integer"... */
const char *option_type_name(OptionType type);
/* The default, as people read it: a duration as "90s", a size as "16MB"; there must be one. */
void option_print_default(const OptionRow *row, char *out, size_t size);
/* The row that takes an option of that name, one of its own before one for a prefix; or NULL. */
const OptionRow *option_row(const OptionGroup *group, Str key);
/* The same, but for rows that stand for a prefix. */
const OptionRow *option_own_row(const OptionGroup *group, Str key);
/* Whether a row of the group takes an option of that name. */
bool option_group_takes(const OptionGroup *group, Str key);
/* Somebody takes the entry. */
void option_mark_used(const OptionEntry *entry);
/* Mark every entry that a row of the group would take. */
void options_mark_used(const OptionGroup *group, const Options *given);
/* An error for the first entry that no group has used, with the nearest name among `groups`, or
 * with the group that takes it where it does not belong to this object. */
Status options_check_unknown(const Options *given, const OptionGroup *const *groups, size_t count,
			     const char *object, Error *err);
/* The error of one that nobody takes, with a hint that the caller may better. */
Status option_unknown(const OptionEntry *entry, const char *object, Error *err);
/* The name among the groups' that is nearest to the key; {NULL, 0}: none is near. */
Str option_nearest(const OptionGroup *const *groups, size_t count, Str key);
/* The last entry with that key (ASCII case ignored), or NULL; does not mark it. */
OptionEntry *options_find(const Options *given, Str key);
/* The value as people may see it: "****" of a password, another secret or a private key. */
Str option_shown_value(Str name, Str value);
/* Replace ${VAR}, ${VAR:default} and ${VAR:-default} by the environment's values. */
Status options_expand(Arena *arena, Str value, Position at, Str *out, Error *err);
/* Where the user said it: "line 3", "--set", "line 3 of 'kafka.yaml'". */
Str option_place(Arena *arena, const OptionEntry *entry);
/* Point `err` at the entry; returns err->status. */
Status option_entry_error(const OptionEntry *entry, Error *err);
/* Point `err` at the entry that gave `setting`, if one did; returns err->status. */
Status option_error(const Setting *setting, Error *err);
