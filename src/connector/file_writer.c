/* connector/file_writer.c -- encoded records to one file, or to parts one after the other.
 *
 * Owns:    the open file.
 * Threads: one at a time. */
#include "connector/file_connector.h"
#include "connector/file_rotation.h"

typedef struct FileWriter {
	Writer base;
	FileOutput output;      /* without rotation */
	FileRotation *rotation; /* else NULL */
} FileWriter;

static FileOutputSpec
output_spec(const WriterSpec *spec, const char *path)
{
	const Setting *settings = spec->settings;

	return (FileOutputSpec){
		.path = path,
		.compression = compression_resolve(
			(Compression)settings[FILE_SINK_COMPRESSION].integer, str_from(path)),
		.sync = (FileSync)settings[FILE_SINK_SYNC].integer,
		.buffer_size = (size_t)settings[FILE_SINK_WRITE_BUFFER].integer,
		.preamble = spec->preamble,
		.preamble_len = spec->preamble_len,
		.append = settings[FILE_SINK_APPEND].flag,
		.disk = spec->disk,
		.marked = spec->marked,
		.resume = spec->resume,
	};
}

static Status
open_rotation(FileWriter *writer, const WriterSpec *spec, FileOutputSpec output, Arena *arena,
	      Error *err)
{
	const Setting *settings = spec->settings;
	FileRotation *rotation = ARENA_NEW(arena, FileRotation);

	rotation->parts = file_parts_of(output.path);
	rotation->parts.disk = spec->disk;
	rotation->size_limit = (uint64_t)settings[FILE_SINK_ROTATE_SIZE].integer;
	rotation->row_limit = (uint64_t)settings[FILE_SINK_ROTATE_ROWS].integer;
	rotation->interval_ms = settings[FILE_SINK_ROTATE_INTERVAL].integer;
	rotation->spec = output;
	rotation->spec.append = false; /* a part is new */
	rotation->spec.part = true;
	rotation->spec.resume = NULL;
	writer->rotation = rotation;
	return file_rotation_open(rotation, output.append, spec->resume, err);
}

Status
file_writer_open(const WriterSpec *spec, Arena *arena, Writer **out, Error *err)
{
	const Setting *settings = spec->settings;
	FileWriter *writer = ARENA_NEW(arena, FileWriter);

	if (!settings[FILE_SINK_PATH].present || settings[FILE_SINK_PATH].text.len == 0) {
		error_set(err, FERRIS_ERR_OPTION_MISSING, "file sink '%s' has no 'path'",
			  spec->object);
		return error_hint(err, "add 'path' = 'result.jsonl'; - is standard output");
	}
	writer->base.class = &file_connector;
	FileOutputSpec output =
		output_spec(spec, file_path_plain(arena, settings[FILE_SINK_PATH].text));
	TRY(file_sink_rotation(settings) != NULL ? open_rotation(writer, spec, output, arena, err)
						 : file_output_open(&writer->output, &output, err));
	*out = &writer->base;
	return FERRIS_OK;
}

Status
file_writer_open_stdout(const WriterSpec *spec, Arena *arena, Writer **out, Error *err)
{
	FileWriter *writer = ARENA_NEW(arena, FileWriter);
	FileOutputSpec output = {
		.path = "-",
		.compression = COMPRESSION_NONE,
		.preamble = spec->preamble,
		.preamble_len = spec->preamble_len,
	};

	writer->base.class = &console_connector;
	TRY(file_output_open(&writer->output, &output, err));
	*out = &writer->base;
	return FERRIS_OK;
}

Status
file_writer_write(Writer *base, const Output *output, Error *err)
{
	FileWriter *writer = (FileWriter *)base;

	if (writer->rotation != NULL)
		return file_rotation_write(writer->rotation, output, err);
	return file_output_write(&writer->output, output->bytes.data, output->bytes.len, err);
}

Status
file_writer_flush(Writer *base, Error *err)
{
	FileWriter *writer = (FileWriter *)base;

	return writer->rotation != NULL ? file_rotation_flush(writer->rotation, err)
					: file_output_flush(&writer->output, err);
}

Status
file_writer_mark(Writer *base, WriterMark *mark, Error *err)
{
	FileWriter *writer = (FileWriter *)base;

	if (writer->rotation != NULL)
		return file_rotation_mark(writer->rotation, mark, err);
	*mark = (WriterMark){0};
	return file_output_mark(&writer->output, mark, err);
}

int64_t
file_writer_due(const Writer *base)
{
	const FileWriter *writer = (const FileWriter *)base;

	return writer->rotation != NULL ? file_rotation_due(writer->rotation) : INT64_MAX;
}

Status
file_writer_complete(Writer *base, Error *err)
{
	FileWriter *writer = (FileWriter *)base;

	return writer->rotation != NULL ? file_rotation_complete(writer->rotation, err) : FERRIS_OK;
}

Status
file_writer_show(Writer *base, Error *err)
{
	FileWriter *writer = (FileWriter *)base;

	return writer->rotation != NULL ? file_rotation_show(writer->rotation, err) : FERRIS_OK;
}

Status
file_writer_close(Writer *base, bool failed, Error *err)
{
	FileWriter *writer = (FileWriter *)base;

	if (writer->rotation != NULL)
		return file_rotation_close(writer->rotation, failed, err);
	Status status = failed ? FERRIS_OK : file_output_finish(&writer->output, err);
	file_output_close(&writer->output);
	return status;
}
