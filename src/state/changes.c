/* state/changes.c -- length of the key, length of the value, key, value; one after the other. */
#include "state/changes.h"

#include "state/record.h"

#define GONE UINT32_MAX /* as a value's length */

void
changes_add(Buffer *changes, Str prefix, Str key, Str value)
{
	record_u32(changes, prefix.len + key.len);
	record_u32(changes, value.data != NULL ? value.len : GONE);
	buffer_append_str(changes, prefix);
	buffer_append_str(changes, key);
	if (value.data != NULL)
		buffer_append_str(changes, value);
}

Status
changes_save(Buffer *changes, StateWriter *writer, Error *err)
{
	if (changes->len == 0)
		return FERRIS_OK;
	/* Not by a Str: a long time between two saves may bring more than it can say. */
	RecordReader reader = {.next = changes->data, .end = changes->data + changes->len};
	while (reader.next != reader.end) {
		uint32_t key_len = record_take_u32(&reader);
		uint32_t value_len = record_take_u32(&reader);
		bool gone = value_len == GONE;
		Str key = {record_take(&reader, key_len), key_len};
		Str value = {gone ? NULL : record_take(&reader, value_len), gone ? 0 : value_len};

		TRY(writer->put(writer, key, value, err));
	}
	buffer_reset(changes);
	return FERRIS_OK;
}
