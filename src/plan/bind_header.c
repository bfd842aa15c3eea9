/* plan/bind_header.c -- headers of records: reading those of the source, setting those of the sink.
 *
 * HEADER('k') and its kin are columns of the scan.  SET_HEADER('k', x) and REMOVE_HEADER('k') are
 * items of the select list of a statement that writes records with headers.  What is set is one
 * more column of the plan's root, behind those of the record; the sink takes it from there
 * (exec/sink_headers.c). */
#include "func/function.h"
#include "plan/bind.h"
#include "plan/header_calls.h"

/* ---------------------------------------------------------------- reading */

/* The column of the scan that is filled so; it is added at the first mention. */
static uint32_t
scan_column(Arena *arena, PlanNode *scan, const ScanColumn *wanted)
{
	uint32_t count = scan->schema.count;

	for (uint32_t i = 0; i < count; i++)
		if (scan->scan.columns[i].source == wanted->source &&
		    str_eq(scan->scan.columns[i].header, wanted->header))
			return i;
	Field *fields = ARENA_ARRAY(arena, Field, count + 1);
	ScanColumn *columns = ARENA_ARRAY(arena, ScanColumn, count + 1);

	memcpy(fields, scan->schema.fields, sizeof *fields * count);
	memcpy(columns, scan->scan.columns, sizeof *columns * count);
	columns[count] = *wanted;
	fields[count] = (Field){.name = wanted->name, .type = wanted->type};
	scan->schema = (Schema){fields, count + 1};
	scan->scan.columns = columns;
	return count;
}

static Status
need_scan(Binder *binder, const Scope *scope, const Expr *expr)
{
	if (scope->scan != NULL)
		return FERRIS_OK;
	error_set_at(binder->err, FERRIS_ERR_NOT_SUPPORTED, expr->position,
		     "%.*s can only be used where the FROM is a source itself",
		     STR_ARG(expr->function.name.text));
	return error_hint(binder->err, "select %.*s in the inner query", STR_ARG(expr->text));
}

/* The argument that names a header: a text that is known beforehand. */
static Status
bind_header_name(Binder *binder, Scope *scope, const Expr *expr, Str *out)
{
	Str function = expr->function.name.text;
	BoundExpr *name;

	TRY(bind_expr(binder, scope, expr->function.args[0].value, &name));
	if (name->kind != BOUND_CONSTANT || name->type->kind != TYPE_STRING ||
	    name->constant.is_null || name->constant.text.len == 0)
		return error_set_at(binder->err, FERRIS_ERR_ARGUMENTS, expr->position,
				    "%.*s needs a header's name as a text constant",
				    STR_ARG(function));
	*out = name->constant.text;
	return FERRIS_OK;
}

static Status
bind_header(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out)
{
	ScanColumn column = {.name = expr->text, .type = TYPE_OF(STRING), .source = SCAN_HEADER};

	TRY(bind_header_name(binder, scope, expr, &column.header));
	TRY(need_scan(binder, scope, expr));
	*out = bound_column(binder->arena, scan_column(binder->arena, scope->scan, &column),
			    column.type, column.name, expr->position);
	return FERRIS_OK;
}

/* MAP_KEYS(_headers) */
static Status
bind_header_keys(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out)
{
	ScanColumn column = {.name = STR("_headers"),
			     .type = type_map(binder->arena, TYPE_OF(STRING), TYPE_OF(STRING)),
			     .source = SCAN_HEADERS};

	TRY(need_scan(binder, scope, expr));
	BoundExpr *headers =
		bound_column(binder->arena, scan_column(binder->arena, scope->scan, &column),
			     column.type, column.name, expr->position);
	return function_bind(binder->arena, STR("MAP_KEYS"), &headers, 1, expr->position, out,
			     binder->err);
}

/* COALESCE(ARRAY_CONTAINS(HEADER_KEYS(), name), FALSE) */
static Status
bind_has_header(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out)
{
	Value no = {.type = TYPE_OF(BOOLEAN), .boolean = false};
	BoundExpr *args[2];

	TRY(bind_header_keys(binder, scope, expr, &args[0]));
	TRY(bind_any(binder, scope, expr->function.args[0].value, &args[1]));
	TRY(function_bind(binder->arena, STR("ARRAY_CONTAINS"), args, 2, expr->position, &args[0],
			  binder->err));
	args[1] = bound_constant(binder->arena, no, expr->position);
	return function_bind(binder->arena, STR("COALESCE"), args, 2, expr->position, out,
			     binder->err);
}

/* ---------------------------------------------------------------- calls */

static const struct {
	Str name;
	uint32_t arg_count;
	Status (*bind)(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out);
	FunctionDoc doc;
} calls[] = {
#define HEADER_CALL(name, arguments, bind, signature, doc)                                         \
	{STR_INIT(name), arguments, bind, {name, "headers", signature, doc}},
#include "plan/header_list.h"
};

#define CALL_COUNT (sizeof calls / sizeof *calls)

const FunctionDoc *
header_call_doc(size_t i)
{
	return i < CALL_COUNT ? &calls[i].doc : NULL;
}

/* Which of the calls it is; CALL_COUNT: none. */
static size_t
find_call(const Expr *expr)
{
	size_t i = 0;

	if (expr->kind != EXPR_FUNCTION)
		return CALL_COUNT;
	while (i < CALL_COUNT && !str_eq_nocase(calls[i].name, expr->function.name.text))
		i++;
	return i;
}

/* Plain arguments, as many as the call takes. */
static Status
check_arguments(Binder *binder, const Expr *expr, size_t call)
{
	const FunctionCall *function = &expr->function;
	bool plain = !function->star && !function->distinct && function->filter == NULL &&
		     function->over == NULL && function->order.count == 0 &&
		     function->within_group.count == 0 &&
		     function->arg_count == calls[call].arg_count;

	for (uint32_t i = 0; plain && i < function->arg_count; i++)
		plain = function->args[i].name.text.data == NULL;
	if (plain)
		return FERRIS_OK;
	return error_set_at(binder->err, FERRIS_ERR_ARGUMENTS, expr->position, "the call is %s",
			    calls[call].doc.signature);
}

Status
bind_header_call(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out)
{
	size_t call = find_call(expr);

	*out = NULL;
	if (call == CALL_COUNT)
		return FERRIS_OK;
	TRY(check_arguments(binder, expr, call));
	if (calls[call].bind != NULL)
		return calls[call].bind(binder, scope, expr, out);
	error_set_at(binder->err, FERRIS_ERR_NOT_SUPPORTED, expr->position,
		     "%.*s changes the record that is written: it is an item of the select list, "
		     "not part of an expression",
		     STR_ARG(calls[call].name));
	return error_hint(binder->err, "SELECT a, b, %s FROM ...", calls[call].doc.signature);
}

bool
is_header_change(const Expr *expr)
{
	size_t call = find_call(expr);

	return call != CALL_COUNT && calls[call].bind == NULL;
}

/* ---------------------------------------------------------------- writing */

void
begin_headers(Binder *binder, const Query *query)
{
	const QueryBody *body = query->body;

	/* Parentheses around the whole query change nothing. */
	while (body->kind == BODY_QUERY)
		body = body->query->body;
	binder->headers = (HeaderList){0};
	if (body->kind == BODY_SELECT)
		binder->headers.of = body->select.items;
}

static Status
check_header_name(Binder *binder, Str name, Position at)
{
	for (uint32_t i = 0; i < binder->headers.count; i++)
		if (str_eq(binder->headers.items[i].name, name))
			return error_set_at(binder->err, FERRIS_ERR_ARGUMENTS, at,
					    "the header '%.*s' is set or removed twice",
					    STR_ARG(name));
	return FERRIS_OK;
}

/* Its text, as a key has it; bytes stay what they are. */
static Status
header_text(Binder *binder, BoundExpr *value, BoundExpr **out)
{
	*out = value;
	if (value->type->kind == TYPE_STRING || value->type->kind == TYPE_BYTES)
		return FERRIS_OK;
	return bound_cast(binder->arena, value, TYPE_OF(STRING),
			  value->type->kind == TYPE_NULL ? CAST_IMPLICIT : CAST_EXPLICIT, out,
			  binder->err);
}

/* `value`: what it is set to. */
static Status
add_header(Binder *binder, const Select *select, SinkHeader *header, BoundExpr *value)
{
	HeaderList *list = &binder->headers;

	TRY(check_header_name(binder, header->name, header->position));
	if (list->items == NULL) {
		list->items = ARENA_ARRAY(binder->arena, SinkHeader, select->item_count);
		list->values = ARENA_ARRAY(binder->arena, BoundExpr *, select->item_count);
	}
	if (!header->removed) {
		header->column = list->value_count;
		TRY(header_text(binder, value, &list->values[list->value_count++]));
	}
	list->items[list->count++] = *header;
	return FERRIS_OK;
}

static Status
refuse_place(Binder *binder, const Expr *expr)
{
	error_set_at(binder->err, FERRIS_ERR_NOT_SUPPORTED, expr->position,
		     "%.*s stands in a query inside another, which writes no records",
		     STR_ARG(expr->function.name.text));
	return error_hint(binder->err,
			  "put it into the select list of the statement's own query: "
			  "SELECT ..., %.*s FROM (...)",
			  STR_ARG(expr->text));
}

static Status
bind_removed(Binder *binder, Scope *scope, const SelectItem *item, BoundExpr **out)
{
	*out = NULL;
	return item->alias.text.data != NULL ? bind_header(binder, scope, item->expr, out)
					     : FERRIS_OK;
}

Status
bind_header_item(Binder *binder, Scope *scope, const Select *select, const SelectItem *item,
		 BoundExpr **out)
{
	const Expr *expr = item->expr;
	size_t call = find_call(expr);
	bool own = binder->headers.of == select->items;
	SinkHeader header = {.removed = calls[call].arg_count == 1, .position = expr->position};
	BoundExpr *value = NULL;

	TRY(check_arguments(binder, expr, call));
	if (!own && binder->views == 0)
		return refuse_place(binder, expr);
	if (item->primary_key && item->alias.text.data == NULL)
		return error_set_at(binder->err, FERRIS_ERR_SYNTAX, expr->position,
				    "a header is a column, and may be a key, only with AS name");
	TRY(bind_header_name(binder, scope, expr, &header.name));
	if (header.removed)
		TRY(bind_removed(binder, scope, item, out));
	else
		TRY(bind_expr(binder, scope, expr->function.args[1].value, &value));
	/* Of a stream that is read where it is defined, only the columns count. */
	if (own)
		TRY(add_header(binder, select, &header, value));
	if (!header.removed)
		*out = item->alias.text.data != NULL ? value : NULL;
	return FERRIS_OK;
}

uint32_t
header_columns(const Binder *binder)
{
	return binder->headers.value_count;
}

Status
refuse_headers(Binder *binder, const char *where)
{
	if (binder->headers.count == 0)
		return FERRIS_OK;
	error_set_at(binder->err, FERRIS_ERR_NOT_SUPPORTED, binder->headers.items[0].position,
		     "%s has no headers", where);
	return error_hint(binder->err, "SET_HEADER and REMOVE_HEADER belong to a statement that "
				       "writes to Kafka: INSERT INTO, or CREATE STREAM ... AS "
				       "SELECT with 'connector' = 'kafka'");
}

Status
take_headers(Binder *binder, StatementPlan *plan, const PlanNode *root)
{
	HeaderList *list = &binder->headers;

	if (plan->is_select)
		return refuse_headers(binder, "what a plain SELECT puts out");
	if (!plan->sink->connector->keyed_output) {
		char where[64];

		snprintf(where, sizeof where, "what the connector '%s' writes",
			 plan->sink->connector->name);
		return refuse_headers(binder, where);
	}
	plan->headers = list->items;
	plan->header_count = list->count;
	plan->header_columns = list->value_count;
	for (uint32_t i = 0; i < list->count; i++)
		list->items[i].column += root->schema.count - list->value_count;
	return FERRIS_OK;
}
