/* job/reading_order.c -- which sources may be read now. */
#include "job/reading_order.h"

void
reading_order_init(ReadingOrder *order, const Source *sources, uint32_t count, Arena *arena)
{
	*order = (ReadingOrder){sources, ARENA_ARRAY(arena, TableRead, count), count};
	for (uint32_t i = 0; i < count; i++) {
		TableRead *read = &order->reads[i];

		read->comes_first = sources[i].scan->scan.first;
		read->split_count = sources[i].splits > 0 ? sources[i].splits : 1;
		read->drained = ARENA_ARRAY(arena, bool, read->split_count);
	}
}

bool
reading_order_waits(const ReadingOrder *order, uint32_t source)
{
	if (order->reads[source].comes_first)
		return false;
	for (uint32_t i = 0; i < order->count; i++)
		if (order->reads[i].comes_first)
			return true;
	return false;
}

void
reading_order_has_read(ReadingOrder *order, uint32_t source, ReadResult result)
{
	TableRead *read = &order->reads[source];
	const ConnectorClass *connector = order->sources[source].connector;
	bool all = true;

	if (!read->comes_first)
		return;
	for (uint32_t i = 0; i < read->split_count; i++) {
		if (!read->drained[i])
			read->drained[i] = connector->split_drained != NULL
						   ? connector->split_drained(
							     order->sources[source].reader,
							     order->sources[source].first_split + i)
						   : result == READ_IDLE;
		all = all && read->drained[i];
	}
	read->comes_first = !all && result != READ_END;
}
