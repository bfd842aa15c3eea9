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

Status
source_open(Source *source, const SourceSpec *given, Arena *arena, Error *err)
{
	const PlanNode *scan = given->scan;
	const Endpoint *endpoint = scan->scan.endpoint;
	DecodeSpec *decode = ARENA_NEW(arena, DecodeSpec);

	*source = (Source){.scan = scan,
			   .connector = endpoint->connector,
			   .object = str_copy(arena, endpoint->name).data};
	source->order.places = ARENA_ARRAY(arena, uint32_t, scan->scan.decode_count + 1);
	source_decode_spec(source, decode);
	ReaderSpec spec = {
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
		.environment = given->environment,
	};
	TRY(endpoint->connector->reader_open(&spec, arena, &source->reader, err));
	if (endpoint->connector->split_count != NULL)
		source->splits = endpoint->connector->split_count(source->reader);
	return FERRIS_OK;
}

void
source_close(Source *source)
{
	if (source->reader != NULL)
		source->connector->reader_close(source->reader);
	source->reader = NULL;
}
