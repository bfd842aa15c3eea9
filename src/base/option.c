/* base/option.c -- resolve options from rows. */
#include "base/option.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct Unit {
	Str suffix;
	double factor;
} Unit;

static const Unit duration_units[] = {
	{STR_INIT("ms"), 1},     {STR_INIT("s"), 1e3},    {STR_INIT("m"), 60e3},
	{STR_INIT("min"), 60e3}, {STR_INIT("h"), 3600e3}, {STR_INIT("d"), 86400e3},
	{STR_INIT(""), 1},
};

static const Unit size_units[] = {
	{STR_INIT("b"), 1},
	{STR_INIT("k"), 1024},
	{STR_INIT("kb"), 1024},
	{STR_INIT("kib"), 1024},
	{STR_INIT("m"), 1048576},
	{STR_INIT("mb"), 1048576},
	{STR_INIT("mib"), 1048576},
	{STR_INIT("g"), 1073741824},
	{STR_INIT("gb"), 1073741824},
	{STR_INIT("gib"), 1073741824},
	{STR_INIT(""), 1},
};

/* For people, largest first; the last always fits. */
static const Unit shown_durations[] = {{STR_INIT("d"), 86400e3},
				       {STR_INIT("h"), 3600e3},
				       {STR_INIT("m"), 60e3},
				       {STR_INIT("s"), 1e3},
				       {STR_INIT("ms"), 1}};
static const Unit shown_sizes[] = {{STR_INIT("GB"), 1 << 30},
				   {STR_INIT("MB"), 1 << 20},
				   {STR_INIT("KB"), 1 << 10},
				   {STR_INIT("B"), 1}};
static const Unit shown_plain[] = {{STR_INIT(""), 1}};

static const Str true_words[] = {STR_INIT("true"), STR_INIT("yes"), STR_INIT("on"), STR_INIT("1")};
static const Str false_words[] = {STR_INIT("false"), STR_INIT("no"), STR_INIT("off"),
				  STR_INIT("0")};

static bool
among(Str word, const Str *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq_nocase(word, words[i]))
			return true;
	return false;
}

/* The index of `word` among the '|'-separated `choices` with its listed spelling, or -1. */
static int
choice_index(const char *choices, Str word, Str *spelling)
{
	for (int i = 0; *choices != '\0'; i++) {
		size_t len = strcspn(choices, "|");

		*spelling = (Str){choices, (uint32_t)len};
		if (str_eq_nocase(word, *spelling))
			return i;
		choices += len + (choices[len] == '|');
	}
	return -1;
}

/* A number with an optional unit; false if it is not one. */
static bool
parse_number(Str text, const Unit *units, size_t unit_count, double *out)
{
	char copy[64];
	char *end;

	text = str_trim(text);
	if (text.len == 0 || text.len >= sizeof copy)
		return false;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	if (!isdigit((unsigned char)copy[copy[0] == '-' || copy[0] == '+']) && copy[0] != '.')
		return false;
	/* lint: allow strtod -- options are not record data, and the locale is never set */
	double number = strtod(copy, &end);
	Str suffix = str_trim(str_from(end));
	for (size_t i = 0; i < unit_count; i++)
		if (str_eq_nocase(suffix, units[i].suffix)) {
			*out = number * units[i].factor;
			return true;
		}
	return false;
}

/* A duration as "90s" or "1h", a size as "16MB", another number as it is. */
static void
print_number(OptionType type, double number, char *out, size_t size)
{
	const Unit *unit = type == OPTION_DURATION ? shown_durations
			   : type == OPTION_SIZE   ? shown_sizes
						   : shown_plain;

	while (unit->factor > 1 &&
	       (number < unit->factor ||
		(double)(int64_t)(number / unit->factor) * unit->factor != number))
		unit++;
	snprintf(out, size, "%.16g%s", number / unit->factor, number > 0 ? unit->suffix.data : "");
}

static const char *
type_hint(OptionType type)
{
	switch (type) {
	case OPTION_BOOLEAN:
		return "write true or false";
	case OPTION_INTEGER:
		return "write a whole number";
	case OPTION_FLOAT:
		return "write a number";
	case OPTION_DURATION:
		return "write milliseconds, or a number with ms, s, m, h or d";
	case OPTION_SIZE:
		return "write bytes, or a number with KB, MB or GB";
	case OPTION_CHARACTER:
		return "write one character; \\t is a tab";
	default:
		return "";
	}
}

static bool
parse_numeric(const OptionRow *row, Str text, Setting *setting)
{
	const Unit *units = row->type == OPTION_DURATION ? duration_units : size_units;
	size_t count = row->type == OPTION_DURATION ? sizeof duration_units / sizeof *duration_units
		       : row->type == OPTION_SIZE   ? sizeof size_units / sizeof *size_units
						    : 0;
	static const Unit plain = {STR_INIT(""), 1};

	if (count == 0) {
		units = &plain;
		count = 1;
	}
	if (!parse_number(text, units, count, &setting->real))
		return false;
	if (row->type == OPTION_FLOAT)
		return true;
	setting->integer = (int64_t)setting->real;
	return (double)setting->integer == setting->real;
}

/* Fill `setting` from text; false if the text is not of the row's type. */
static bool
parse_setting(const OptionRow *row, Str text, Setting *setting)
{
	int choice;

	setting->text = text;
	switch (row->type) {
	case OPTION_BOOLEAN:
		setting->flag = among(text, true_words, 4);
		return setting->flag || among(text, false_words, 4);
	case OPTION_CHARACTER:
		if (str_eq(text, STR("\\t")))
			setting->text = STR("\t");
		return setting->text.len == 1;
	case OPTION_CHOICE:
		choice = choice_index(row->choices, text, &setting->text);
		setting->integer = choice;
		return choice >= 0;
	case OPTION_INTEGER:
	case OPTION_FLOAT:
	case OPTION_DURATION:
	case OPTION_SIZE:
		return parse_numeric(row, text, setting);
	case OPTION_STRING:
	case OPTION_PREFIX:
		break;
	}
	return true;
}

static bool
row_matches(const OptionRow *row, Str key)
{
	Str name = str_from(row->name);
	Str spelling;

	if (row->type == OPTION_PREFIX) {
		name.len--;
		return key.len > name.len && strncasecmp(key.data, name.data, name.len) == 0;
	}
	return str_eq_nocase(key, name) ||
	       (row->aliases != NULL && choice_index(row->aliases, key, &spelling) >= 0);
}

void
option_mark_used(const OptionEntry *entry)
{
	if (entry->used != NULL)
		*entry->used = true;
}

const OptionRow *
option_row(const OptionGroup *group, Str key)
{
	const OptionRow *found = NULL;

	for (uint32_t r = 0; r < group->count; r++) {
		const OptionRow *row = &group->rows[r];

		if (row_matches(row, key) && (found == NULL || found->type == OPTION_PREFIX))
			found = row;
	}
	return found;
}

const OptionRow *
option_own_row(const OptionGroup *group, Str key)
{
	const OptionRow *row = option_row(group, key);

	return row != NULL && row->type != OPTION_PREFIX ? row : NULL;
}

void
option_print_values(const OptionRow *row, char *out, size_t size)
{
	char min[32];
	char max[32];

	print_number(row->type, row->min, min, sizeof min);
	print_number(row->type, row->max, max, sizeof max);
	if (row->choices != NULL)
		snprintf(out, size, "%s", row->choices);
	else if (row->max > row->min)
		snprintf(out, size, "%s to %s", min, max);
	else
		out[0] = '\0';
}

const char *
option_type_name(OptionType type)
{
	static const char *const names[] = {
		[OPTION_STRING] = "text",         [OPTION_BOOLEAN] = "boolean",
		[OPTION_INTEGER] = "integer",     [OPTION_FLOAT] = "number",
		[OPTION_DURATION] = "duration",   [OPTION_SIZE] = "size",
		[OPTION_CHARACTER] = "character", [OPTION_CHOICE] = "choice",
		[OPTION_PREFIX] = "prefix",
	};

	return names[type];
}

void
option_print_default(const OptionRow *row, char *out, size_t size)
{
	Setting setting = {0};

	if ((row->type == OPTION_DURATION || row->type == OPTION_SIZE) &&
	    parse_setting(row, str_from(row->initial), &setting))
		print_number(row->type, setting.real, out, size);
	else
		snprintf(out, size, "%s", row->initial);
}

bool
option_group_takes(const OptionGroup *group, Str key)
{
	return option_row(group, key) != NULL;
}

void
options_mark_used(const OptionGroup *group, const Options *given)
{
	for (uint32_t i = 0; i < given->count; i++)
		if (option_group_takes(group, given->entries[i].key))
			option_mark_used(&given->entries[i]);
}

/* What is wrong with an argument of --set is wrong with the command line. */
static void
point_at(const OptionEntry *entry, Error *err)
{
	if (entry->key_at.line == 0 && entry->origin != NULL &&
	    strcmp(entry->origin, ORIGIN_COMMAND_LINE) == 0)
		err->flags |= ERROR_COMMAND_LINE;
	if (entry->place != NULL)
		error_label(err, "%s", entry->place);
}

static Status
value_error(const OptionRow *row, const OptionEntry *entry, Error *err)
{
	error_set_at(err, FERRIS_ERR_OPTION_VALUE, entry->value_at,
		     "option '%.*s' cannot be '%.*s'", STR_ARG(entry->key), STR_ARG(entry->value));
	point_at(entry, err);
	if (row->type == OPTION_CHOICE)
		return error_hint(err, "choose one of: %s", row->choices);
	return error_hint(err, "%s", type_hint(row->type));
}

static Status
range_hint(const OptionRow *row, Error *err)
{
	char values[80];

	option_print_values(row, values, sizeof values);
	return error_hint(err, "the range is %s", values);
}

static Status
resolve_row(const OptionRow *row, Options *given, Setting *setting, Error *err)
{
	*setting = (Setting){.row = row, .origin = ORIGIN_DEFAULT};
	if (row->type == OPTION_PREFIX)
		return FERRIS_OK; /* whoever passes it on knows whether somebody takes it */
	for (uint32_t i = 0; i < given->count; i++)
		if (row_matches(row, given->entries[i].key)) {
			option_mark_used(&given->entries[i]);
			setting->entry = &given->entries[i];
		}
	if (setting->entry == NULL) {
		setting->present = row->initial != NULL;
		if (setting->present && !parse_setting(row, str_from(row->initial), setting))
			return error_set(err, FERRIS_ERR_OPTION_VALUE,
					 "default of option '%s' is wrong: '%s'", row->name,
					 row->initial);
		return FERRIS_OK;
	}
	setting->present = true;
	setting->origin = setting->entry->origin;
	if (!parse_setting(row, setting->entry->value, setting))
		return value_error(row, setting->entry, err);
	if (row->max > row->min && (setting->real < row->min || setting->real > row->max)) {
		error_set_at(err, FERRIS_ERR_OPTION_VALUE, setting->entry->value_at,
			     "option '%s' is out of range: '%.*s'", row->name,
			     STR_ARG(setting->entry->value));
		point_at(setting->entry, err);
		return range_hint(row, err);
	}
	return FERRIS_OK;
}

Status
options_resolve(const OptionGroup *group, Options *given, Arena *arena, Setting **settings,
		Error *err)
{
	*settings = ARENA_ARRAY(arena, Setting, group->count);
	for (uint32_t i = 0; i < group->count; i++)
		TRY(resolve_row(&group->rows[i], given, &(*settings)[i], err));
	return FERRIS_OK;
}

Str
option_nearest(const OptionGroup *const *groups, size_t count, Str key)
{
	Str best = {NULL, 0};
	unsigned best_distance = 0;

	for (size_t g = 0; g < count; g++)
		for (uint32_t r = 0; r < groups[g]->count; r++) {
			Str name = str_from(groups[g]->rows[r].name);
			Str near = str_nearest(key, &name, 1);
			unsigned distance = str_distance(key, name);

			if (near.data != NULL && (best.data == NULL || distance < best_distance)) {
				best = near;
				best_distance = distance;
			}
		}
	return best;
}

Status
option_unknown(const OptionEntry *entry, const char *object, Error *err)
{
	error_set_at(err, FERRIS_ERR_UNKNOWN_OPTION, entry->key_at, "unknown option '%.*s' for %s",
		     STR_ARG(entry->key), object);
	point_at(entry, err);
	return error_hint(err, "docs/configuration.md lists the options");
}

Status
options_check_unknown(const Options *given, const OptionGroup *const *groups, size_t count,
		      const char *object, Error *err)
{
	for (uint32_t i = 0; i < given->count; i++) {
		const OptionEntry *entry = &given->entries[i];

		if (entry->used == NULL || *entry->used)
			continue;
		Str best = option_nearest(groups, count, entry->key);
		option_unknown(entry, object, err);
		for (size_t g = 0; g < count; g++)
			if (option_group_takes(groups[g], entry->key))
				return error_hint(err, "it is an option of: %s", groups[g]->name);
		if (best.data != NULL)
			return error_hint(err, "did you mean '%.*s'?", STR_ARG(best));
		return err->status;
	}
	return FERRIS_OK;
}

Str
option_shown_value(Str name, Str value)
{
	static const char *const words[] = {"password", "secret", "key.pem", "oauthbearer.config",
					    "user.info"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		uint32_t len = (uint32_t)strlen(words[i]);

		for (uint32_t at = 0; at + len <= name.len; at++)
			if (strncasecmp(name.data + at, words[i], len) == 0)
				return STR("****");
	}
	return value;
}

OptionEntry *
options_find(const Options *given, Str key)
{
	for (uint32_t i = given->count; i > 0; i--)
		if (str_eq_nocase(given->entries[i - 1].key, key))
			return &given->entries[i - 1];
	return NULL;
}

Status
options_expand(Arena *arena, Str value, Position at, Str *out, Error *err)
{
	Str result = {"", 0};
	uint32_t i = 0;

	while (i < value.len) {
		const char *start = memmem(value.data + i, value.len - i, "${", 2);
		uint32_t plain = start != NULL ? (uint32_t)(start - value.data) - i : value.len - i;

		result = str_format(arena, "%.*s%.*s", STR_ARG(result), (int)plain, value.data + i);
		i += plain;
		if (start == NULL)
			break;
		const char *close = memchr(start, '}', value.len - i);
		if (close == NULL) {
			error_set_at(err, FERRIS_ERR_OPTION_VALUE, at, "'${' without '}' in '%.*s'",
				     STR_ARG(value));
			return error_hint(err, "write ${NAME} or ${NAME:default}");
		}
		Str body = {start + 2, (uint32_t)(close - start) - 2};
		const char *colon = memchr(body.data, ':', body.len);
		Str name = colon != NULL ? (Str){body.data, (uint32_t)(colon - body.data)} : body;
		const char *found = getenv(str_copy(arena, name).data);

		if (found == NULL && colon == NULL) {
			error_set_at(err, FERRIS_ERR_OPTION_VALUE, at,
				     "environment variable '%.*s' is not set", STR_ARG(name));
			return error_hint(err, "set it, or give a default: ${%.*s:default}",
					  STR_ARG(name));
		}
		Str text = found != NULL ? str_from(found) : str_skip(body, name.len + 1);
		if (found == NULL && text.len > 0 && text.data[0] == '-')
			text = str_skip(text, 1);
		result = str_format(arena, "%.*s%.*s", STR_ARG(result), STR_ARG(text));
		i = (uint32_t)(close - value.data) + 1;
	}
	*out = result;
	return FERRIS_OK;
}

Str
option_place(Arena *arena, const OptionEntry *entry)
{
	if (entry->place != NULL)
		return str_from(entry->place);
	if (entry->key_at.line > 0)
		return str_format(arena, "line %u", entry->key_at.line);
	return str_from(entry->origin);
}

Status
option_entry_error(const OptionEntry *entry, Error *err)
{
	if (err->position.line == 0)
		err->position = entry->value_at;
	point_at(entry, err);
	return err->status;
}

Status
option_error(const Setting *setting, Error *err)
{
	return setting->entry != NULL ? option_entry_error(setting->entry, err) : err->status;
}
