/* base/error.c -- fill and print an Error. */
#include "base/error.h"

#include <assert.h>
#include <string.h>

#define TAB_WIDTH 4

static const ErrorInfo error_infos[FERRIS_STATUS_COUNT] = {
	[FERRIS_OK] = {"OK", 0, 0, 0, "No error."},
#define ERROR(name, number, exit, flags, summary)                                                  \
	[FERRIS_ERR_##name] = {#name, number, exit, flags, summary},
#include "base/error_list.h"
};

const ErrorInfo *
error_info(Status status)
{
	assert(status < FERRIS_STATUS_COUNT);
	return &error_infos[status];
}

static void
error_start(Error *err, Status status, Position position)
{
	assert(status != FERRIS_OK);
	err->status = status;
	err->flags = error_infos[status].flags;
	err->position = position;
	err->label[0] = '\0';
	err->hint[0] = '\0';
}

Status
error_set(Error *err, Status status, const char *format, ...)
{
	va_list args;

	error_start(err, status, (Position){0});
	va_start(args, format);
	vsnprintf(err->message, sizeof err->message, format, args);
	va_end(args);
	return status;
}

Status
error_set_at(Error *err, Status status, Position position, const char *format, ...)
{
	va_list args;

	error_start(err, status, position);
	va_start(args, format);
	vsnprintf(err->message, sizeof err->message, format, args);
	va_end(args);
	return status;
}

Status
error_hint(Error *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err->hint, sizeof err->hint, format, args);
	va_end(args);
	return err->status;
}

Status
error_label(Error *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err->label, sizeof err->label, format, args);
	va_end(args);
	return err->status;
}

Status
error_errno(Error *err, int code)
{
	size_t used = strlen(err->message);
	char text[128];

	snprintf(err->message + used, sizeof err->message - used, ": %s",
		 strerror_r(code, text, sizeof text));
	return err->status;
}

/* The start of line `line` (1-based) in `text`, or NULL if there are fewer lines. */
static const char *
line_start(const char *text, uint32_t line)
{
	for (uint32_t i = 1; i < line; i++) {
		text = strchr(text, '\n');
		if (text == NULL)
			return NULL;
		text++;
	}
	return text;
}

/* Print `line` with tabs widened, and under it the caret line. */
static void
print_excerpt(FILE *out, const Error *err, const char *line)
{
	size_t length = strcspn(line, "\r\n");
	size_t first = err->position.column - 1;
	size_t last = first + (err->position.length > 0 ? err->position.length : 1);
	char margin[16];

	int width = snprintf(margin, sizeof margin, "%u", err->position.line);
	fprintf(out, "%*s |\n %s | ", width + 1, "", margin);
	for (size_t i = 0; i < length; i++)
		if (line[i] == '\t')
			fprintf(out, "%*s", TAB_WIDTH, "");
		else
			fputc(line[i], out);
	fprintf(out, "\n%*s | ", width + 1, "");
	for (size_t i = 0; i < last; i++) {
		bool inside = i < length;
		bool continuation = inside && ((unsigned char)line[i] & 0xC0) == 0x80;
		int cells = inside && line[i] == '\t' ? TAB_WIDTH : 1;

		if (continuation || (!inside && i > first))
			continue;
		for (int c = 0; c < cells; c++)
			fputc(i < first ? ' ' : '^', out);
	}
	if (err->label[0] != '\0')
		fprintf(out, " %s", err->label);
	fputc('\n', out);
}

void
error_print(FILE *out, const Error *err, const char *name, const char *text)
{
	const char *line = NULL;
	int indent = 1;

	fprintf(out, "error[FS%04d]: %s\n", error_info(err->status)->number, err->message);
	if (err->position.line > 0 && name != NULL) {
		indent = snprintf(NULL, 0, "%u", err->position.line);
		fprintf(out, "%*s--> %s:%u:%u\n", indent + 1, "", name, err->position.line,
			err->position.column);
	}
	if (err->position.line > 0 && text != NULL)
		line = line_start(text, err->position.line);
	if (line != NULL)
		print_excerpt(out, err, line);
	else if (err->label[0] != '\0')
		fprintf(out, "%*s = note: %s\n", indent, "", err->label);
	if (err->hint[0] != '\0')
		fprintf(out, "%*s = help: %s\n", indent, "", err->hint);
}
