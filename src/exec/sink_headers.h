/* exec/sink_headers.h -- the headers of the records that a sink writes. */
#pragma once

#include "exec/operator.h"

/* Puts the headers of the record that a row becomes: those that its source's record `carried`, as
 * the plan's SET_HEADER and REMOVE_HEADER change them. */
void sink_headers_put(const StatementPlan *plan, const Batch *batch, uint32_t row, Str carried,
		      Buffer *out);
