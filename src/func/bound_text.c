/* func/bound_text.c -- bound expressions as SQL, with no more parentheses than are needed.
 *
 * Implicit conversions are not shown: the text is what the user could have written. */
#include "base/buffer.h"
#include "func/function.h"
#include "func/kernel.h"

#define TEXT_LIMIT ((size_t)1 << 20)

/* How tightly a form binds; an operand that binds less tightly than its place wants parentheses. */
typedef enum Binding {
	BIND_OR = 1,
	BIND_AND,
	BIND_NOT,
	BIND_COMPARE, /* = < IS LIKE IN; does not chain */
	BIND_ADD,     /* + - || */
	BIND_MULTIPLY,
	BIND_SIGN,
	BIND_PRIMARY,
} Binding;

typedef struct Printer {
	Arena *arena;
	Buffer out;
} Printer;

static void print(Printer *printer, const BoundExpr *expr, Binding place);

static Binding
operator_binding(Str name)
{
	if (str_eq(name, STR("NOT")))
		return BIND_NOT;
	if (str_eq(name, STR("NEG")))
		return BIND_SIGN;
	if (str_eq(name, STR("+")) || str_eq(name, STR("-")) || str_eq(name, STR("||")))
		return BIND_ADD;
	if (str_eq(name, STR("*")) || str_eq(name, STR("/")) || str_eq(name, STR("%")))
		return BIND_MULTIPLY;
	return BIND_COMPARE;
}

/* Its text starts with a sign: two in a row would be a comment. */
static bool
is_negative(const Value *value)
{
	if (value->is_null || !type_is_numeric(value->type))
		return false;
	switch (type_physical(value->type)) {
	case PHYSICAL_INT64:
		return value->int64 < 0;
	case PHYSICAL_INT128:
		return value->int128 < 0;
	default:
		return value->real < 0;
	}
}

static Binding
binding_of(const BoundExpr *expr)
{
	switch (expr->kind) {
	case BOUND_OR:
		return BIND_OR;
	case BOUND_AND:
		return BIND_AND;
	case BOUND_CALL:
		return expr->function->flags & SCALAR_OPERATOR
			       ? operator_binding(function_name(expr->function))
			       : BIND_PRIMARY;
	case BOUND_CAST:
		return expr->cast == CAST_IMPLICIT ? binding_of(expr->args[0]) : BIND_PRIMARY;
	case BOUND_CONSTANT:
		return is_negative(&expr->constant) ? BIND_SIGN : BIND_PRIMARY;
	default:
		return BIND_PRIMARY;
	}
}

static void
put(Printer *printer, const char *text)
{
	buffer_append(&printer->out, text, strlen(text));
}

static void
print_list(Printer *printer, BoundExpr *const *args, uint32_t count, const char *separator,
	   Binding place)
{
	for (uint32_t i = 0; i < count; i++) {
		if (i > 0)
			put(printer, separator);
		print(printer, args[i], place);
	}
}

static void
print_operator(Printer *printer, const BoundExpr *expr)
{
	Str name = function_name(expr->function);
	Binding binding = operator_binding(name);

	if (str_eq(name, STR("NEG"))) {
		put(printer, "-");
		print(printer, expr->args[0], BIND_PRIMARY);
	} else if (str_eq(name, STR("NOT"))) {
		put(printer, "NOT ");
		print(printer, expr->args[0], BIND_NOT);
	} else if (str_eq(name, STR("IN"))) {
		print(printer, expr->args[0], BIND_ADD);
		put(printer, " IN (");
		print_list(printer, expr->args + 1, expr->arg_count - 1, ", ", BIND_OR);
		put(printer, ")");
	} else if (expr->arg_count == 1) { /* IS NULL and the like */
		print(printer, expr->args[0], BIND_ADD);
		buffer_printf(&printer->out, " %.*s", STR_ARG(name));
	} else {
		/* The right operand binds tighter, so that a - (b - c) keeps its parentheses. */
		print(printer, expr->args[0], binding == BIND_COMPARE ? BIND_ADD : binding);
		buffer_printf(&printer->out, " %.*s ", STR_ARG(name));
		print(printer, expr->args[1], binding + 1);
		if (expr->arg_count == 3) {
			put(printer, " ESCAPE ");
			print(printer, expr->args[2], BIND_ADD);
		}
	}
}

static void
print_call(Printer *printer, const BoundExpr *expr)
{
	if (expr->function->flags & SCALAR_OPERATOR) {
		print_operator(printer, expr);
		return;
	}
	buffer_printf(&printer->out, "%.*s(", STR_ARG(function_name(expr->function)));
	print_list(printer, expr->args, expr->arg_count, ", ", BIND_OR);
	put(printer, ")");
}

static void
print_case(Printer *printer, const BoundExpr *expr)
{
	const BoundExpr *last = expr->args[expr->arg_count - 1];

	put(printer, "CASE");
	for (uint32_t i = 0; i + 1 < expr->arg_count; i += 2) {
		put(printer, " WHEN ");
		print(printer, expr->args[i], BIND_OR);
		put(printer, " THEN ");
		print(printer, expr->args[i + 1], BIND_OR);
	}
	if (last->kind != BOUND_CONSTANT || !last->constant.is_null) {
		put(printer, " ELSE ");
		print(printer, last, BIND_OR);
	}
	put(printer, " END");
}

static bool
is_plain_name(Str name)
{
	if (name.len == 0)
		return false;
	for (uint32_t i = 0; i < name.len; i++) {
		char c = name.data[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
			      c == '.' || (unsigned char)c >= 0x80;
		if (!letter && !(i > 0 && c >= '0' && c <= '9'))
			return false;
	}
	return true;
}

static void
print_name(Printer *printer, Str name)
{
	if (is_plain_name(name)) {
		buffer_append_str(&printer->out, name);
		return;
	}
	put(printer, "\"");
	for (uint32_t i = 0; i < name.len; i++) {
		if (name.data[i] == '"')
			put(printer, "\"");
		buffer_append_char(&printer->out, name.data[i]);
	}
	put(printer, "\"");
}

static void
print_bare(Printer *printer, const BoundExpr *expr)
{
	switch (expr->kind) {
	case BOUND_CONSTANT:
		buffer_append_str(&printer->out, value_text(printer->arena, &expr->constant));
		break;
	case BOUND_COLUMN:
		print_name(printer, expr->name);
		break;
	case BOUND_CALL:
		print_call(printer, expr);
		break;
	case BOUND_CAST:
		if (expr->cast == CAST_IMPLICIT) {
			print_bare(printer, expr->args[0]);
			break;
		}
		put(printer, expr->cast == CAST_TRY ? "TRY_CAST(" : "CAST(");
		print(printer, expr->args[0], BIND_OR);
		buffer_printf(&printer->out, " AS %s)", type_text(printer->arena, expr->type).data);
		break;
	case BOUND_AND:
		print_list(printer, expr->args, expr->arg_count, " AND ", BIND_AND + 1);
		break;
	case BOUND_OR:
		print_list(printer, expr->args, expr->arg_count, " OR ", BIND_OR + 1);
		break;
	case BOUND_CASE:
		print_case(printer, expr);
		break;
	case BOUND_COALESCE:
	case BOUND_TRY:
		put(printer, expr->kind == BOUND_TRY ? "TRY(" : "COALESCE(");
		print_list(printer, expr->args, expr->arg_count, ", ", BIND_OR);
		put(printer, ")");
		break;
	case BOUND_FIELD:
		print(printer, expr->args[0], BIND_PRIMARY);
		put(printer, ".");
		print_name(printer, expr->name);
		break;
	}
}

static void
print(Printer *printer, const BoundExpr *expr, Binding place)
{
	bool wrap = binding_of(expr) < place;

	if (wrap)
		put(printer, "(");
	print_bare(printer, expr);
	if (wrap)
		put(printer, ")");
}

Str
bound_text(Arena *arena, const BoundExpr *expr)
{
	Printer printer = {.arena = arena};

	buffer_init(&printer.out, TEXT_LIMIT);
	print_bare(&printer, expr);
	Str text = str_copy(arena, (Str){printer.out.data, (uint32_t)printer.out.len});
	buffer_free(&printer.out);
	return text;
}
