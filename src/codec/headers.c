/* codec/headers.c -- reading and writing the headers of a record. */
#include "codec/headers.h"

bool
header_next(Str *bytes, Header *header)
{
	uint32_t len;

	if (bytes->len == 0)
		return false;
	memcpy(&len, bytes->data, sizeof len);
	header->name = (Str){bytes->data + sizeof len, len};
	*bytes = str_skip(*bytes, (uint32_t)sizeof len + len);
	memcpy(&len, bytes->data, sizeof len);
	*bytes = str_skip(*bytes, sizeof len);
	header->value =
		(Str){len != RECORD_NULL ? bytes->data : NULL, len != RECORD_NULL ? len : 0};
	*bytes = str_skip(*bytes, header->value.len);
	return true;
}

bool
header_append(Buffer *out, const Header *header)
{
	bool null = header->value.data == NULL;
	uint32_t name_len = header->name.len;
	uint32_t value_len = null ? RECORD_NULL : header->value.len;

	if (buffer_reserve(out, 2 * sizeof name_len + (size_t)name_len + header->value.len) == NULL)
		return false;
	buffer_append(out, &name_len, sizeof name_len);
	buffer_append_str(out, header->name);
	buffer_append(out, &value_len, sizeof value_len);
	return null || buffer_append_str(out, header->value);
}
