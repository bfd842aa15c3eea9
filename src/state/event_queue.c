/* state/event_queue.c -- a heap, and a scan through what was written out. */
#include "state/event_queue.h"

#include "base/memory.h"
#include "state/record.h"

void
event_queue_init(EventQueue *queue, StateStore *store)
{
	*queue = (EventQueue){.store = store};
	buffer_init(&queue->key, SIZE_MAX);
	buffer_init(&queue->value, SIZE_MAX);
}

void
event_queue_free(EventQueue *queue, Error *err)
{
	if (queue->store == NULL)
		return;
	if (queue->scan.cursor != NULL)
		(void)store_scan_close(&queue->scan, FERRIS_OK, err);
	memory_free(queue->events);
	buffer_free(&queue->key);
	buffer_free(&queue->value);
}

/* ---------------------------------------------------------------- the heap */

static bool
comes_before(const Event *a, const Event *b)
{
	return a->time != b->time ? a->time < b->time : a->order < b->order;
}

void
event_queue_add(EventQueue *queue, Event event)
{
	uint32_t at = queue->count++;

	if (at == queue->capacity) {
		queue->capacity = 2 * queue->capacity + 256;
		queue->events =
			memory_resize(queue->events, sizeof *queue->events * queue->capacity);
	}
	for (; at > 0 && comes_before(&event, &queue->events[(at - 1) / 2]); at = (at - 1) / 2)
		queue->events[at] = queue->events[(at - 1) / 2];
	queue->events[at] = event;
}

static Event
take_first(EventQueue *queue)
{
	Event *events = queue->events;
	Event first = events[0];
	Event last = events[--queue->count];
	uint32_t at = 0;

	for (uint32_t child = 1; child < queue->count; child = 2 * at + 1) {
		if (child + 1 < queue->count && comes_before(&events[child + 1], &events[child]))
			child++;
		if (!comes_before(&events[child], &last))
			break;
		events[at] = events[child];
		at = child;
	}
	events[at] = last;
	return first;
}

/* ---------------------------------------------------------------- events as bytes */

static void
write_key(Buffer *out, const Event *event)
{
	record_key_i64(out, event->time);
	record_key_u64(out, event->order);
}

static void
write_value(const EventQueue *queue, const Event *event, Buffer *out)
{
	record_u32(out, (uint32_t)event->table << 16 | event->mark);
	row_table_write(queue->tables[event->table], event->place, out);
}

static Status
read_key(Str key, Event *event, Error *err)
{
	RecordReader reader = record_reader(key);

	event->time = record_take_key_i64(&reader);
	event->order = record_take_key_u64(&reader);
	return reader.damaged || reader.next != reader.end ? store_damaged(err) : FERRIS_OK;
}

/* The row goes to its table. */
static Status
read_value(EventQueue *queue, Str value, Event *event, Error *err)
{
	RecordReader reader = record_reader(value);
	uint32_t word = record_take_u32(&reader);

	event->table = (uint16_t)(word >> 16);
	event->mark = (uint16_t)word;
	if (reader.damaged || event->table >= EVENT_TABLES ||
	    row_table_read(queue->tables[event->table], reader.next, reader.end, &event->place) !=
		    reader.end)
		return store_damaged(err);
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- the backend */

/* The scan goes on to the next event; at its end it stands nowhere. */
static Status
advance_scan(EventQueue *queue, Error *err)
{
	Str key;

	queue->bytes = (Str){0};
	if (!store_next(&queue->scan, &key, &queue->bytes)) {
		queue->bytes = (Str){0};
		return FERRIS_OK;
	}
	return read_key(key, &queue->least, err);
}

/* Whether the next event is in the backend; the scan then stands at it. */
static Status
looks_behind(EventQueue *queue, int64_t until, bool *behind, Error *err)
{
	*behind = false;
	if (queue->spilled == 0 || (queue->least.time >= until && until != INT64_MAX) ||
	    (queue->count > 0 && comes_before(&queue->events[0], &queue->least)))
		return FERRIS_OK;
	if (queue->scan.cursor == NULL) {
		store_key(&queue->space, &queue->key);
		TRY(store_scan(&queue->space, &queue->key, &queue->scan, err));
		TRY(advance_scan(queue, err));
	}
	if (queue->bytes.data == NULL)
		return store_damaged(err);
	*behind = (queue->least.time < until || until == INT64_MAX) &&
		  (queue->count == 0 || comes_before(&queue->least, &queue->events[0]));
	return FERRIS_OK;
}

static Status
take_behind(EventQueue *queue, Event *event, Error *err)
{
	*event = queue->least;
	TRY(read_value(queue, queue->bytes, event, err));
	store_key(&queue->space, &queue->key);
	write_key(&queue->key, event);
	TRY(store_remove(&queue->space, &queue->key, err));
	queue->spilled--;
	return queue->spilled > 0 ? advance_scan(queue, err) : FERRIS_OK;
}

Status
event_queue_take(EventQueue *queue, int64_t until, Event *event, bool *got, Error *err)
{
	bool behind;

	TRY(looks_behind(queue, until, &behind, err));
	*got = behind ||
	       (queue->count > 0 && (queue->events[0].time < until || until == INT64_MAX));
	if (behind)
		return take_behind(queue, event, err);
	if (*got)
		*event = take_first(queue);
	return FERRIS_OK;
}

Status
event_queue_rest(EventQueue *queue, Error *err)
{
	if (queue->scan.cursor == NULL)
		return FERRIS_OK;
	TRY(store_scan_close(&queue->scan, FERRIS_OK, err));
	queue->bytes = (Str){0};
	/* What was removed need not be passed over again. */
	return queue->spilled > 0 ? store_commit(queue->store, err)
				  : store_clear(&queue->space, err);
}

Status
event_queue_spill(EventQueue *queue, Error *err)
{
	TRY(event_queue_rest(queue, err));
	if (queue->count == 0)
		return FERRIS_OK;
	TRY(store_open(queue->store, STORE_SCANS, &queue->space, err));
	for (uint32_t i = 0; i < queue->count; i++) {
		const Event *event = &queue->events[i];

		store_key(&queue->space, &queue->key);
		write_key(&queue->key, event);
		buffer_reset(&queue->value);
		write_value(queue, event, &queue->value);
		TRY(store_put(&queue->space, &queue->key, &queue->value, err));
		row_table_drop(queue->tables[event->table], event->place);
	}
	if (queue->spilled == 0 || comes_before(&queue->events[0], &queue->least))
		queue->least = queue->events[0];
	queue->spilled += queue->count;
	memory_free(queue->events);
	queue->events = NULL;
	queue->count = queue->capacity = 0;
	return store_commit(queue->store, err);
}

/* ---------------------------------------------------------------- saved and loaded */

static Status
put_record(EventQueue *queue, StateWriter *writer, Str prefix, Str key, Str value, Error *err)
{
	buffer_reset(&queue->key);
	buffer_append(&queue->key, prefix.data, prefix.len);
	buffer_append(&queue->key, key.data, key.len);
	return writer->put(writer, (Str){queue->key.data, (uint32_t)queue->key.len}, value, err);
}

static Status
save_spilled(EventQueue *queue, StateWriter *writer, Str prefix, Error *err)
{
	StoreScan scan;
	Str key, value;
	Status status = FERRIS_OK;

	store_key(&queue->space, &queue->key);
	TRY(store_scan(&queue->space, &queue->key, &scan, err));
	while (status == FERRIS_OK && store_next(&scan, &key, &value))
		status = put_record(queue, writer, prefix, key, value, err);
	return store_scan_close(&scan, status, err);
}

Status
event_queue_save(EventQueue *queue, StateWriter *writer, Str prefix, Error *err)
{
	Buffer key;
	Status status = FERRIS_OK;

	if (queue->spilled > 0)
		TRY(save_spilled(queue, writer, prefix, err));
	buffer_init(&key, SIZE_MAX);
	for (uint32_t i = 0; i < queue->count && status == FERRIS_OK; i++) {
		buffer_reset(&key);
		write_key(&key, &queue->events[i]);
		buffer_reset(&queue->value);
		write_value(queue, &queue->events[i], &queue->value);
		status = put_record(queue, writer, prefix, (Str){key.data, (uint32_t)key.len},
				    (Str){queue->value.data, (uint32_t)queue->value.len}, err);
	}
	buffer_free(&key);
	return status;
}

Status
event_queue_load(EventQueue *queue, Str key, Str value, Error *err)
{
	Event event;

	TRY(read_key(key, &event, err));
	TRY(read_value(queue, value, &event, err));
	event_queue_add(queue, event);
	return FERRIS_OK;
}
