/* plan/effective.h -- the options that are in effect, one by one, with where each comes from.
 *
 * Threads: any; the plan is only read. */
#pragma once

#include "plan/plan.h"

typedef struct EffectiveOption {
	const char *scope; /* "source", "sink", "job" */
	Str object;        /* stream or statement */
	const char *connector;
	Str name;
	Str value;
	const char *origin;   /* "user", "SET", "--set", "strategy", "guarantee", "default" */
	const char *doc;      /* or NULL */
	const OptionRow *row; /* NULL: it is none of the engine's own, or connector and format */
	Str reason;           /* why it is so although another value was said; or {NULL, 0} */
} EffectiveOption;

/* "linger.ms" for "kafka.linger.ms", where the connector stands beside it. */
Str effective_bare_name(const EffectiveOption *option);

typedef void (*EffectiveVisit)(void *context, const EffectiveOption *option);

/* What the rows resolved to, and what is passed on to a library under a prefix. */
void effective_endpoint(const Endpoint *endpoint, const char *scope, EffectiveVisit visit,
			void *context);
void effective_job(const StatementPlan *plan, EffectiveVisit visit, void *context);
/* Of all sources, the sink and the job; and what no option gives of the properties of connectors'
 * libraries: those that the engine sets, and with `all` the libraries' own defaults. */
void effective_statement(const StatementPlan *plan, bool all, EffectiveVisit visit, void *context);
