/* exec/op_over_time.c -- OVER: rows in order of event time.
 *
 * Waiting rows lie in one array, in order of time over all partitions.  The rows of a batch are
 * sorted and merged in from the end, so that a row costs as much as the disorder reaches, and the
 * watermark takes rows from the front. */
#include "base/memory.h"
#include "exec/op_over.h"

#define PREFETCH_AHEAD 8

#define TIES_FEW   16 /* rows that are inserted one by one */
#define RADIX_BITS 8
#define RADIX_SIZE (1u << RADIX_BITS)

static void
swap_arrived(OverOp *self)
{
	Waiting *swap = self->arrived;

	self->arrived = self->scratch;
	self->scratch = swap;
}

static void
merge_sort_arrived(OverOp *self, uint32_t count)
{
	for (uint32_t width = 1; width < count; width *= 2) {
		for (uint32_t at = 0; at < count; at += 2 * width) {
			uint32_t middle = at + width < count ? at + width : count;
			uint32_t end = middle + width < count ? middle + width : count;
			uint32_t a = at, b = middle;

			for (uint32_t i = at; i < end; i++) {
				bool second =
					a == middle ||
					(b < end && self->arrived[b].time < self->arrived[a].time);

				self->scratch[i] = self->arrived[second ? b++ : a++];
			}
		}
		swap_arrived(self);
	}
}

/* Orders self->arrived by time, equal times as they came: least digit first, on the times alone
 * with the rows' numbers in their low bits.  Times too far apart for that are merged. */
static void
sort_arrived(OverOp *self, uint32_t count)
{
	uint64_t *from = self->sort_keys;
	uint64_t *to = self->sort_keys + BATCH_CAPACITY;
	int64_t least = INT64_MAX;
	uint64_t range = 0;
	bool sorted = true;

	for (uint32_t i = 0; i < count; i++) {
		sorted = sorted && (i == 0 || self->arrived[i - 1].time <= self->arrived[i].time);
		least = self->arrived[i].time < least ? self->arrived[i].time : least;
	}
	if (sorted)
		return;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t time = (uint64_t)self->arrived[i].time - (uint64_t)least;

		range |= time;
		from[i] = time << ROW_BITS | i;
	}
	if (range >> (64 - ROW_BITS) > 0) {
		merge_sort_arrived(self, count);
		return;
	}
	for (uint32_t shift = ROW_BITS; shift < 64 && range >> (shift - ROW_BITS) > 0;
	     shift += RADIX_BITS) {
		uint16_t places[RADIX_SIZE] = {0};
		uint16_t sum = 0;

		for (uint32_t i = 0; i < count; i++)
			places[from[i] >> shift & (RADIX_SIZE - 1)]++;
		for (uint32_t d = 0; d < RADIX_SIZE; d++) {
			uint16_t here = places[d];

			places[d] = sum;
			sum = (uint16_t)(sum + here);
		}
		for (uint32_t i = 0; i < count; i++)
			to[places[from[i] >> shift & (RADIX_SIZE - 1)]++] = from[i];
		uint64_t *swap = from;
		from = to;
		to = swap;
	}
	for (uint32_t i = 0; i < count; i++)
		self->scratch[i] = self->arrived[from[i] & ROW_MASK];
	swap_arrived(self);
}

static void
reserve_waiting(OverOp *self, uint32_t count)
{
	size_t wanted = self->waiting_count + count;

	if (wanted <= self->waiting_capacity)
		return;
	if (self->out_count > 0 && self->out_count >= wanted / 2) {
		self->waiting_count -= self->out_count;
		self->taken_count -= self->out_count;
		memmove(self->waiting, self->waiting + self->out_count,
			sizeof *self->waiting * self->waiting_count);
		self->out_count = 0;
		if (self->waiting_count + count <= self->waiting_capacity)
			return;
	}
	self->waiting_capacity = wanted * 2;
	self->waiting =
		memory_resize(self->waiting, sizeof *self->waiting * self->waiting_capacity);
}

/* From the end: as far as the disorder reaches. */
void
over_merge_arrived(OverOp *self, uint32_t count, bool before)
{
	reserve_waiting(self, count);
	size_t old = self->waiting_count;
	size_t at = old + count;

	self->waiting_count = at;
	while (count > 0) {
		int64_t time = self->arrived[count - 1].time;

		if (old > self->taken_count && (before ? self->waiting[old - 1].time >= time
						       : self->waiting[old - 1].time > time))
			self->waiting[--at] = self->waiting[--old];
		else
			self->waiting[--at] = self->arrived[--count];
	}
}

void
over_wait(OverOp *self, const uint16_t *rows, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		self->arrived[i] = (Waiting){
			.time = over_slot_time(self, self->time_slot, rows[i]),
			.partition = (Partition *)(void *)self->payloads[i],
			.ref = self->refs[i],
		};
	sort_arrived(self, count);
	over_merge_arrived(self, count, false);
}

Status
over_pass_time(OverOp *self, int64_t time, Error *err)
{
	while (self->out_count < self->taken_count) {
		const Waiting *row = &self->waiting[self->out_count];

		if (over_frame_end(self, row->time) >= time)
			return FERRIS_OK;
		self->out_count++;
		over_touch(self, row->partition);
		row->partition->passed++;
		TRY(over_emit_ready(self, row->partition, err));
	}
	return FERRIS_OK;
}

/* Few rows: each to its place among those before it. */
static void
insert_ties(const OverOp *self, Waiting *rows, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		Waiting row = rows[i];
		size_t at = i;

		while (at > 0 && over_compare_rows(&self->calls, row.ref, rows[at - 1].ref) < 0) {
			rows[at] = rows[at - 1];
			at--;
		}
		rows[at] = row;
	}
}

/* Two ordered runs, a[0..middle) and a[middle..count), into one; of equal rows the first stay
 * first. */
static void
merge_ties(const OverOp *self, const Waiting *a, size_t middle, size_t count, Waiting *out)
{
	size_t left = 0;
	size_t right = middle;

	for (size_t i = 0; i < count; i++) {
		bool second = left == middle ||
			      (right < count &&
			       over_compare_rows(&self->calls, a[right].ref, a[left].ref) < 0);

		out[i] = a[second ? right++ : left++];
	}
}

/* Rows of one time in the order of the further ORDER BY: usually few, but a time may be a day. */
static void
sort_ties(OverOp *self, size_t first, size_t end)
{
	size_t count = end - first;
	Waiting *rows = self->waiting + first;
	Waiting *other = count > TIES_FEW ? memory_alloc(sizeof *other * count) : NULL;
	Waiting *from = rows;

	for (size_t at = 0; at < count; at += TIES_FEW)
		insert_ties(self, rows + at, count - at < TIES_FEW ? count - at : TIES_FEW);
	for (size_t width = TIES_FEW; width < count; width *= 2) {
		Waiting *to = from == rows ? other : rows;

		for (size_t at = 0; at < count; at += 2 * width) {
			size_t here = count - at < 2 * width ? count - at : 2 * width;

			merge_ties(self, from + at, width < here ? width : here, here, to + at);
		}
		from = to;
	}
	if (from != rows)
		memcpy(rows, from, sizeof *rows * count);
	memory_free(other);
}

static Status
take_row(OverOp *self, const Waiting *row, Error *err)
{
	const Waiting *later = row + PREFETCH_AHEAD;

	if (later < self->waiting + self->waiting_count)
		__builtin_prefetch(later->partition);
	over_touch(self, row->partition);
	if (self->goes_at_once) {
		partition_add(&self->calls, row->partition, row->ref, true);
		self->out_count = ++self->taken_count;
		return over_emit(self, row->partition, err);
	}
	if (self->waits_time)
		TRY(over_pass_time(self, row->time, err));
	if (self->idle_slot != NO_SLOT)
		TRY(over_expire(self, row->partition, row->time, err));
	partition_add(&self->calls, row->partition, row->ref, true);
	self->taken_count++;
	if (!self->waits_time)
		self->out_count = self->taken_count;
	return over_emit_ready(self, row->partition, err);
}

Status
over_take_rows(OverOp *self, int64_t time, bool inclusive, Error *err)
{
	while (self->taken_count < self->waiting_count) {
		int64_t next = self->waiting[self->taken_count].time;
		size_t end = self->taken_count + 1;

		if ((inclusive ? next > time : next >= time) || over_shelf_passes(self, next))
			break;

		while (self->sorts_ties && end < self->waiting_count &&
		       self->waiting[end].time == next)
			end++;
		if (end - self->taken_count > 1)
			sort_ties(self, self->taken_count, end);
		while (self->taken_count < end)
			TRY(take_row(self, &self->waiting[self->taken_count], err));
	}
	return FERRIS_OK;
}

Status
over_take_until(OverOp *self, int64_t time, bool end_of_input, Error *err)
{
	if (over_is_shelved(self))
		return over_shelf_take(self, time, end_of_input, err);
	TRY(over_take_rows(self, time, end_of_input, err));
	return self->waits_time ? over_pass_time(self, time, err) : FERRIS_OK;
}
