/* exec/scan_columns.h -- the columns of a scan that are not in the record: _offset, _key, ... */
#pragma once

#include "exec/operator.h"

/* Fills every such column of the scan for the batch's rows, from the chunk being decoded. */
void fill_scan_columns(const PlanNode *scan, const TaskContext *task, Batch *batch);
