/* connector/kafka_values.c -- whether librdkafka would take what the user says, asked at planning.
 *
 * No handle is made and no broker is asked: each value is set on a configuration that is thrown
 * away.  What librdkafka finds only when a handle is made, two values that do not fit each other,
 * is in tables here. */
#include "connector/kafka_client.h"
#include "type/number.h"

#define PLUGINS "plugin.library.paths" /* setting it loads them */

/* ---------------------------------------------------------------- idempotence */

/* What an idempotent producer needs of another property. */
typedef struct IdempotenceRule {
	const char *meaning;
	const char *words[2]; /* those that do; NULL: a number does */
	int64_t min, max;
	const char *needed;
} IdempotenceRule;

static const IdempotenceRule idempotence_rules[] = {
	{"request.required.acks", {"all", "-1"}, 0, 0, "all"},
	{"message.send.max.retries", {NULL}, 1, INT64_MAX, "1 or more"},
	{"max.in.flight.requests.per.connection", {NULL}, 1, 5, "1 to 5"},
	{"queuing.strategy", {"fifo", "fifo"}, 0, 0, "fifo"},
};

static bool
fits(const IdempotenceRule *rule, Str value)
{
	int64_t number;

	if (rule->words[0] != NULL)
		return str_eq_nocase(value, str_from(rule->words[0])) ||
		       str_eq_nocase(value, str_from(rule->words[1]));
	return int64_parse(value.data, value.len, &number) == NUMBER_OK && number >= rule->min &&
	       number <= rule->max;
}

static bool
is_true(Str value)
{
	return str_eq_nocase(value, STR("true")) || str_eq_nocase(value, STR("t")) ||
	       str_eq(value, STR("1"));
}

static Status
check_idempotence(const Options *given, Error *err)
{
	const OptionEntry *idempotent = kafka_given_as(given, "enable.idempotence");

	if (idempotent == NULL || is_suggestion(idempotent) || !is_true(idempotent->value))
		return FERRIS_OK;
	for (size_t i = 0; i < sizeof idempotence_rules / sizeof *idempotence_rules; i++) {
		const IdempotenceRule *rule = &idempotence_rules[i];
		const OptionEntry *entry = kafka_given_as(given, rule->meaning);

		/* The guarantee may yet take a suggestion back. */
		if (entry == NULL || is_suggestion(entry) || fits(rule, entry->value))
			continue;
		error_set(err, FERRIS_ERR_OPTION_CONFLICT,
			  "'%.*s' = '%.*s' contradicts '%.*s' = "
			  "'%.*s'",
			  STR_ARG(entry->key), STR_ARG(entry->value), STR_ARG(idempotent->key),
			  STR_ARG(idempotent->value));
		error_hint(err,
			   "an idempotent producer needs '%.*s' = %s; leave one of the two out",
			   STR_ARG(entry->key), rule->needed);
		return option_entry_error(entry, err);
	}
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- pairs */

/* What may not be less than another property, and more: by how much at least. */
typedef struct OrderRule {
	bool of_source, of_sink;
	const char *high, *low;
	int64_t more;
	bool high_is_given; /* librdkafka raises it otherwise */
	bool zero_is_endless;
} OrderRule;

static const OrderRule order_rules[] = {
	{true, true, "reconnect.backoff.max.ms", "reconnect.backoff.ms", 0, false, false},
	{true, false, "max.poll.interval.ms", "session.timeout.ms", 0, false, false},
	{true, false, "fetch.max.bytes", "message.max.bytes", 0, true, false},
	{true, false, "receive.message.max.bytes", "fetch.max.bytes", 512, true, false},
	{false, true, "message.timeout.ms", "queue.buffering.max.ms", 1, true, true},
};

typedef struct Effective {
	const OptionEntry *entry; /* NULL: the user does not say */
	const char *whose;
	Str name, value;
	int64_t number;
} Effective;

/* False: it is no whole number, or worked out later. */
static bool
find_effective(const Options *given, const char *meaning, bool is_source, Effective *out)
{
	const OptionEntry *entry = kafka_given_as(given, meaning);
	const LibrarySetting *settings = NULL;
	size_t count = entry == NULL ? kafka_library_settings(&settings) : 0;

	*out = (Effective){.whose = " (the default)"};
	if (entry != NULL) {
		out->name = entry->key;
		out->value = entry->value;
		out->entry = is_suggestion(entry) ? NULL : entry;
		out->whose = is_suggestion(entry) ? " (the batch strategy's)" : "";
	}
	for (size_t i = 0; i < count && out->name.data == NULL; i++) /* if nobody gives it */
		if (str_eq(settings[i].meaning, str_from(meaning)) && settings[i].plain &&
		    (is_source ? settings[i].of_source : settings[i].of_sink)) {
			out->name = settings[i].name;
			out->value = settings[i].value;
		}
	return out->value.data != NULL &&
	       int64_parse(out->value.data, out->value.len, &out->number) == NUMBER_OK;
}

static Status
check_order(const OrderRule *rule, const Options *given, bool is_source, Error *err)
{
	Effective high;
	Effective low;

	if (kafka_given_as(given, rule->high) == NULL && kafka_given_as(given, rule->low) == NULL)
		return FERRIS_OK;
	if (!find_effective(given, rule->high, is_source, &high) ||
	    !find_effective(given, rule->low, is_source, &low))
		return FERRIS_OK;
	if ((high.entry == NULL && low.entry == NULL) ||
	    (rule->high_is_given && high.entry == NULL) ||
	    (rule->zero_is_endless && high.number == 0) || high.number >= low.number + rule->more)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_OPTION_CONFLICT,
		  "'%.*s' = '%.*s'%s is too little for '%.*s' = "
		  "'%.*s'%s",
		  STR_ARG(high.name), STR_ARG(high.value), high.whose, STR_ARG(low.name),
		  STR_ARG(low.value), low.whose);
	error_hint(err, "it must be at least %lld; change one of the two",
		   (long long)(low.number + rule->more));
	return option_entry_error(high.entry != NULL ? high.entry : low.entry, err);
}

/* ---------------------------------------------------------------- all of them */

static Status
check_each(const Options *given, bool is_source, Arena *arena, Error *err)
{
	Options own = {.entries = ARENA_ARRAY(arena, OptionEntry, given->count)};
	PassedOption passed;

	for (uint32_t i = 0; i < given->count; i++)
		if (!is_suggestion(&given->entries[i]) &&
		    kafka_passed(given->entries[i].key, &passed) &&
		    !str_eq(passed.meaning, STR(PLUGINS)))
			own.entries[own.count++] = given->entries[i];
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	Status status = kafka_set_given(conf, is_source ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER,
					&own, arena, err);
	rd_kafka_conf_destroy(conf);
	return status;
}

Status
kafka_check_values(const Options *given, bool is_source, Arena *arena, Error *err)
{
	TRY(check_each(given, is_source, arena, err));
	if (!is_source)
		TRY(check_idempotence(given, err));
	for (size_t i = 0; i < sizeof order_rules / sizeof *order_rules; i++)
		if (is_source ? order_rules[i].of_source : order_rules[i].of_sink)
			TRY(check_order(&order_rules[i], given, is_source, err));
	return FERRIS_OK;
}
