/* state/event_queue.c -- a heap, and a scan through what was written out. */
#include "state/event_queue.h"

#include "base/memory.h"
#include "state/changes.h"
#include "state/record.h"

void
event_queue_init(EventQueue *queue, StateStore *store, Str prefix)
{
	*queue = (EventQueue){.store = store, .prefix = prefix};
	buffer_init(&queue->key, SIZE_MAX);
	buffer_init(&queue->value, SIZE_MAX);
	buffer_init(&queue->changes, SIZE_MAX);
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
	buffer_free(&queue->changes);
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

	event->table = (uint8_t)(word >> 16);
	event->mark = (uint16_t)word;
	if (reader.damaged || word >> 16 >= EVENT_TABLES ||
	    row_table_read(queue->tables[event->table], reader.next, reader.end, &event->place) !=
		    reader.end)
		return store_damaged(err);
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- changes */

/* The event leaves memory for the backend with these bytes, or is gone (NULL). */
static void
note_change(EventQueue *queue, const Event *event, const Buffer *value)
{
	Str bytes = {0};

	if (value != NULL)
		bytes = (Str){value->data, (uint32_t)value->len};
	buffer_reset(&queue->key);
	write_key(&queue->key, event);
	changes_add(&queue->changes, queue->prefix,
		    (Str){queue->key.data, (uint32_t)queue->key.len}, bytes);
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
	if (!*got)
		return FERRIS_OK;
	if (behind)
		TRY(take_behind(queue, event, err));
	else
		*event = take_first(queue);
	if (queue->store->options.tracks && (behind || event->saved))
		note_change(queue, event, NULL);
	event->saved = false; /* if it is added again */
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
		if (queue->store->options.tracks && !event->saved)
			note_change(queue, event, &queue->value);
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
put_spilled(EventQueue *queue, StateWriter *writer, Str key, Str value, Error *err)
{
	buffer_reset(&queue->key);
	buffer_append_str(&queue->key, queue->prefix);
	buffer_append_str(&queue->key, key);
	return writer->put(writer, (Str){queue->key.data, (uint32_t)queue->key.len}, value, err);
}

static Status
save_spilled(EventQueue *queue, StateWriter *writer, Error *err)
{
	StoreScan scan;
	Str key, value;
	Status status = FERRIS_OK;

	store_key(&queue->space, &queue->key);
	TRY(store_scan(&queue->space, &queue->key, &scan, err));
	while (status == FERRIS_OK && store_next(&scan, &key, &value))
		status = put_spilled(queue, writer, key, value, err);
	return store_scan_close(&scan, status, err);
}

static Status
put_event(EventQueue *queue, StateWriter *writer, const Event *event, Error *err)
{
	buffer_reset(&queue->key);
	buffer_append_str(&queue->key, queue->prefix);
	write_key(&queue->key, event);
	buffer_reset(&queue->value);
	write_value(queue, event, &queue->value);
	return writer->put(writer, (Str){queue->key.data, (uint32_t)queue->key.len},
			   (Str){queue->value.data, (uint32_t)queue->value.len}, err);
}

static Status
save_changes(EventQueue *queue, StateWriter *writer, Error *err)
{
	TRY(changes_save(&queue->changes, writer, err));
	for (uint32_t i = 0; i < queue->count; i++) {
		Event *event = &queue->events[i];

		if (event->saved)
			continue;
		TRY(put_event(queue, writer, event, err));
		event->saved = true;
	}
	return FERRIS_OK;
}

Status
event_queue_save(EventQueue *queue, StateWriter *writer, Error *err)
{
	if (writer->changes_only && queue->store->options.tracks)
		return save_changes(queue, writer, err);
	if (queue->spilled > 0)
		TRY(save_spilled(queue, writer, err));
	for (uint32_t i = 0; i < queue->count; i++)
		TRY(put_event(queue, writer, &queue->events[i], err));
	return FERRIS_OK;
}

Status
event_queue_load(EventQueue *queue, Str key, Str value, Error *err)
{
	Event event;

	TRY(read_key(key, &event, err));
	TRY(read_value(queue, value, &event, err));
	event.saved = true;
	event_queue_add(queue, event);
	return FERRIS_OK;
}
