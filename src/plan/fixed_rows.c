/* plan/fixed_rows.c -- values to JSON records. */
#include "plan/fixed_rows.h"

#include <assert.h>

#define ROWS_LIMIT ((size_t)64 << 20)

void
fixed_rows_init(FixedRows *rows, const Field *fields, uint32_t count)
{
	*rows = (FixedRows){.fields = fields, .count = count};
	buffer_init(&rows->out, ROWS_LIMIT);
}

static void
begin_value(FixedRows *rows)
{
	buffer_append_char(&rows->out, rows->at == 0 ? '{' : ',');
	buffer_append_json(&rows->out, rows->fields[rows->at].name);
	buffer_append_char(&rows->out, ':');
}

static void
end_value(FixedRows *rows)
{
	if (++rows->at < rows->count)
		return;
	buffer_append_str(&rows->out, STR("}\n"));
	rows->at = 0;
}

void
fixed_null(FixedRows *rows)
{
	begin_value(rows);
	buffer_append_str(&rows->out, STR("null"));
	end_value(rows);
}

void
fixed_text(FixedRows *rows, Str text)
{
	if (text.data == NULL) {
		fixed_null(rows);
		return;
	}
	begin_value(rows);
	buffer_append_json(&rows->out, text);
	end_value(rows);
}

void
fixed_number(FixedRows *rows, int64_t number)
{
	begin_value(rows);
	buffer_printf(&rows->out, "%lld", (long long)number);
	end_value(rows);
}

void
fixed_flag(FixedRows *rows, bool flag)
{
	begin_value(rows);
	buffer_append_str(&rows->out, flag ? STR("true") : STR("false"));
	end_value(rows);
}

Str
fixed_rows_end(FixedRows *rows, Arena *arena)
{
	assert(rows->at == 0);
	Str text = str_copy(arena, (Str){rows->out.data, (uint32_t)rows->out.len});

	buffer_free(&rows->out);
	return text;
}
