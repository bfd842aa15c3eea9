/* exec/sink_headers.c -- headers go from the source's record to the sink's, but for those that the
 * select list sets or removes.
 *
 * What is set stands in the last columns of the plan's root, as text.  NULL means no header, as
 * HEADER('k') is NULL where there is none. */
#include "exec/sink_headers.h"

#include "codec/headers.h"

static bool
is_changed(const StatementPlan *plan, Str name)
{
	for (uint32_t i = 0; i < plan->header_count; i++)
		if (str_eq(plan->headers[i].name, name))
			return true;
	return false;
}

static void
put_set(const StatementPlan *plan, const Batch *batch, uint32_t row, Buffer *out)
{
	for (uint32_t i = 0; i < plan->header_count; i++) {
		const SinkHeader *set = &plan->headers[i];

		if (set->removed)
			continue;
		const Vector *column = &batch->columns[set->column];
		uint32_t at = column->constant ? 0 : row;
		if (vector_is_null(column, at))
			continue;
		StringView text = VECTOR_DATA(column, StringView)[at];
		header_append(out, &(Header){set->name, {text.len > 0 ? text.data : "", text.len}});
	}
}

void
sink_headers_put(const StatementPlan *plan, const Batch *batch, uint32_t row, Str carried,
		 Buffer *out)
{
	Header header;

	if (plan->header_count == 0) {
		buffer_append_str(out, carried);
		return;
	}
	while (header_next(&carried, &header))
		if (!is_changed(plan, header.name))
			header_append(out, &header);
	put_set(plan, batch, row, out);
}
