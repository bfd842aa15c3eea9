/* exec/source.c -- open the reader of a scan. */
#include "exec/source.h"

void
source_decode_spec(Source *source, DecodeSpec *spec)
{
	const PlanNode *scan = source->scan;

	*spec = (DecodeSpec){
		.columns = scan->scan.decode,
		.column_count = scan->scan.decode_count,
		.predicates = scan->scan.predicates,
		.predicate_count = scan->scan.predicate_count,
		.schema = scan->scan.record,
		.settings = scan->scan.endpoint->codec_settings,
		.null_rows = scan->scan.null_rows,
		.skip_null = scan->scan.endpoint->common[ENDPOINT_VALUE_NULL].integer != 0,
		.order = &source->order,
	};
}

/* `source`: as far as its scan says. */
static ReaderSpec
reader_spec(Source *source, const SourceSpec *given, Arena *arena)
{
	const Endpoint *endpoint = given->scan->scan.endpoint;
	DecodeSpec *decode = ARENA_NEW(arena, DecodeSpec);

	*source = (Source){.scan = given->scan,
			   .connector = endpoint->connector,
			   .first_split = given->share.count > 0 ? given->share.split : 0,
			   .object = str_copy(arena, endpoint->name).data};
	source->order.places = ARENA_ARRAY(arena, uint32_t, given->scan->scan.decode_count + 1);
	source_decode_spec(source, decode);
	return (ReaderSpec){
		.object = source->object,
		.settings = endpoint->connector_settings,
		.given = &endpoint->given,
		.framing = {endpoint->codec, endpoint->codec_settings, decode},
		.group = given->group,
		.instance = given->instance,
		.keeps_place = given->keeps_place,
		.whole = given->whole,
		.places = given->places,
		.place_count = given->place_count,
		.only_places = given->only_places,
		.share = given->share,
		.shuffled = given->scan->scan.shuffled,
		.environment = given->environment,
	};
}

Status
source_open(Source *source, const SourceSpec *given, Arena *arena, Error *err)
{
	ReaderSpec spec = reader_spec(source, given, arena);

	TRY(source->connector->reader_open(&spec, arena, &source->reader, err));
	if (source->connector->split_count != NULL)
		source->splits = source->connector->split_count(source->reader);
	return FERRIS_OK;
}

Status
source_join(const SourceSpec *given, uint32_t count, Arena *arena, Membership **out, Error *err)
{
	ReaderSpec *specs = ARENA_ARRAY(arena, ReaderSpec, count);
	Source *sources = ARENA_ARRAY(arena, Source, count);

	for (uint32_t i = 0; i < count; i++)
		specs[i] = reader_spec(&sources[i], &given[i], arena);
	return sources[0].connector->join(specs, count, arena, out, err);
}

void
source_close(Source *source)
{
	if (source->reader != NULL)
		source->connector->reader_close(source->reader);
	source->reader = NULL;
}
