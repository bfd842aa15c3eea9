/* plan/batch_strategy.h -- in what batches a source is read and a sink is written.
 *
 * A strategy (FixedSize, TimeWindow, AdaptiveSize, MemoryBased, LowLatency) has parameters of its
 * own, and suggests values for options of the connector.  A suggestion counts less than what the
 * user says, in whatever words, and more than the default; the guarantee may withhold it
 * (plan/guarantee.h).  Without any option 'batch...' there is no strategy, and the engine reads
 * and writes what it can get.  Alone, 'batch.batch_size' means FixedSize.
 *
 * Threads: planning has one. */
#pragma once

#include "plan/plan.h"

typedef struct BatchSuggestion {
	BatchStrategy strategy;
	const char *connector;
	EndpointRole role;
	const char *option;
	const char *value; /* "=batch.x": that parameter's */
} BatchSuggestion;

/* All of them, ended by a NULL connector. */
extern const BatchSuggestion batch_suggestions[];

const char *batch_strategy_name(BatchStrategy strategy);
const char *batch_strategy_doc(BatchStrategy strategy);
/* The parameters of a strategy; of BATCH_NONE: those that choose it. */
OptionGroup batch_group(BatchStrategy strategy);
/* Whether it is an option of batches. */
bool batch_takes(Str key);

/* Resolves the options of batches among endpoint->given, and puts the strategy's suggestions in
 * front of them; its connector is known. */
Status batch_plan(Arena *arena, EndpointRole role, Endpoint *endpoint, Error *err);
/* Whether the parameter of the endpoint's strategy does anything there: at a source each does, at a
 * sink few. */
bool batch_parameter_acts(const Endpoint *endpoint, EndpointRole role, const char *parameter);
#define BATCH_IDLE_REASON "no effect on a sink: there the strategy acts by what it suggests"
bool batch_is_by_event_time(const Endpoint *endpoint);
/* An option that says whether a strategy acts needs that strategy.  The connector's settings are
 * resolved. */
Status batch_check_switches(EndpointRole role, const Endpoint *endpoint, Error *err);
/* Batches of event time need a source that has one. */
Status batch_check_time(const Endpoint *endpoint, bool has_watermark, Error *err);
/* Takes entry `index` of endpoint->given, a suggestion, back; `instead` is the value that the
 * guarantee needs. */
void batch_withhold(Arena *arena, Endpoint *endpoint, uint32_t index, Str instead, const char *why);

/* What an option of the endpoint's connector is; NULL: the connector has no such option. */
const Setting *endpoint_setting(const Endpoint *endpoint, EndpointRole role, const char *option);
/* All of them but the suggestions. */
Options users_options(Arena *arena, const Options *given);
/* Whether two names are the same option of the endpoint. */
bool endpoint_same_option(const Endpoint *endpoint, EndpointRole role, Str a, Str b);
/* Notes where the user says more than one thing about an option. */
void endpoint_note_precedence(Arena *arena, EndpointRole role, Endpoint *endpoint);
