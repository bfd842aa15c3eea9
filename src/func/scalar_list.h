/* func/scalar_list.h -- every scalar function and operator, one row per overload.
 *
 * SCALAR(name, arguments, result, kernel, flags, category, signature, doc)
 * SCALAR_PLAN(name, arguments, result, planner, flags, category, signature, doc)
 * SCALAR_NODE(name, arguments, result, kind, category, signature, doc)
 *
 *   name       in SQL, in capitals; further names after '|'
 *   arguments  one word per argument, separated by blanks:
 *                BOOLEAN BIGINT DOUBLE STRING ...  that type; the argument is converted to it if
 *                               that can be done implicitly (func/bound.h)
 *                INTEGER        any integer type as it is (all are held in the same 64-bit lane)
 *                DECIMAL        a DECIMAL as it is; integers become DECIMAL(digits, 0)
 *                EXACT          an integer or DECIMAL as it is
 *                NUMBER         any number as it is
 *                TEXT           STRING; any other scalar is cast to STRING
 *                ANY            anything as it is
 *                T              all arguments marked T are converted to their common type
 *                ARRAY MAP STRUCT  any type of that kind as it is
 *              a word followed by ? may be left out (so may those after it); the last word
 *              followed by * stands for any number of arguments, by + for at least one
 *   result     rule that gives the result type: result_<name> of func/kernel.h or a function of
 *              the file that holds the kernel
 *   kernel     the loop;  planner: chooses the loop when the query is planned (func/kernel.h);
 *              kind: the call becomes a node of that BoundKind instead (func/bound.h)
 *   flags      SCALAR_STRICT, SCALAR_VOLATILE, SCALAR_FALLIBLE, SCALAR_OPERATOR
 *   category   chapter in docs/functions.md
 *   signature  as documented and as shown in errors;  doc: one sentence
 *
 * Of the rows that fit, the one that needs the least conversion wins; of equals, the first. */
#ifndef SCALAR
#error "define SCALAR, SCALAR_PLAN and SCALAR_NODE before including func/scalar_list.h"
#endif

#define STRICT SCALAR_STRICT
#define FALLIBLE SCALAR_FALLIBLE
#define VOLATILE SCALAR_VOLATILE
#define OPERATOR SCALAR_OPERATOR

/* ---- func/arithmetic.c: integers and floating point ---- */
SCALAR_PLAN("+", "INTEGER INTEGER", result_integer_wider, plan_integer_add,
            STRICT | FALLIBLE | OPERATOR,
            "operators", "a + b",
            "Sum; an integer that does not fit the wider type of the two is an error of the row.")
SCALAR("+", "DOUBLE DOUBLE", result_double, double_add, STRICT | FALLIBLE | OPERATOR,
            "operators", "a + b", "Sum.")
SCALAR_PLAN("-", "INTEGER INTEGER", result_integer_wider, plan_integer_subtract,
            STRICT | FALLIBLE | OPERATOR,
            "operators", "a - b", "Difference.")
SCALAR("-", "DOUBLE DOUBLE", result_double, double_subtract, STRICT | FALLIBLE | OPERATOR,
            "operators", "a - b", "Difference.")
SCALAR_PLAN("*", "INTEGER INTEGER", result_integer_wider, plan_integer_multiply,
            STRICT | FALLIBLE | OPERATOR,
            "operators", "a * b", "Product.")
SCALAR("*", "DOUBLE DOUBLE", result_double, double_multiply, STRICT | FALLIBLE | OPERATOR,
            "operators", "a * b", "Product.")
SCALAR("/", "INTEGER INTEGER", result_integer_wider, integer_divide, STRICT | FALLIBLE | OPERATOR,
            "operators", "a / b",
            "Quotient, truncated towards zero; division by zero is an error of the row.")
SCALAR("/", "DOUBLE DOUBLE", result_double, double_divide, STRICT | FALLIBLE | OPERATOR,
            "operators", "a / b", "Quotient.")
SCALAR("%", "INTEGER INTEGER", result_integer_wider, integer_remainder,
            STRICT | FALLIBLE | OPERATOR,
            "operators", "a % b", "Remainder with the sign of a.")
SCALAR("%", "DOUBLE DOUBLE", result_double, double_remainder, STRICT | FALLIBLE | OPERATOR,
            "operators", "a % b", "Remainder with the sign of a.")
SCALAR("NEG", "INTEGER", result_integer_wider, integer_negate, STRICT | FALLIBLE | OPERATOR,
            "operators", "-a", "The negative.")
SCALAR("NEG", "DOUBLE", result_double, double_negate, STRICT | OPERATOR,
            "operators", "-a", "The negative.")

/* ---- func/arithmetic_decimal.c ---- */
SCALAR_PLAN("+", "EXACT EXACT", result_decimal_add, plan_decimal_add, STRICT | FALLIBLE | OPERATOR,
            "operators", "a + b",
            "Sum, exact: the larger of the scales, one more digit before the point.")
SCALAR_PLAN("-", "EXACT EXACT", result_decimal_add, plan_decimal_subtract,
            STRICT | FALLIBLE | OPERATOR,
            "operators", "a - b", "Difference, exact.")
SCALAR_PLAN("*", "EXACT EXACT", result_decimal_multiply, plan_decimal_multiply,
            STRICT | FALLIBLE | OPERATOR,
            "operators", "a * b", "Product, exact: the sum of the scales and of the precisions.")
SCALAR_PLAN("/", "EXACT EXACT", result_decimal_divide, plan_decimal_divide,
            STRICT | FALLIBLE | OPERATOR,
            "operators", "a / b",
            "Quotient with at least 6 digits after the point, rounded half up.")
SCALAR_PLAN("%", "EXACT EXACT", result_decimal_remainder, plan_decimal_remainder,
            STRICT | FALLIBLE | OPERATOR,
            "operators", "a % b", "Remainder with the sign of a.")
SCALAR("NEG", "DECIMAL", result_first, decimal_negate, STRICT | OPERATOR,
            "operators", "-a", "The negative.")

/* ---- func/arithmetic_temporal.c ---- */
SCALAR("+", "TIMESTAMP INTERVAL", result_timestamp, timestamp_plus_interval,
            STRICT | FALLIBLE | OPERATOR,
            "operators", "timestamp + interval",
            "Months first, then days, then time; a day past the end of the month becomes its last.")
SCALAR("+", "INTERVAL TIMESTAMP", result_timestamp, interval_plus_timestamp,
            STRICT | FALLIBLE | OPERATOR,
            "operators", "interval + timestamp", "The same.")
SCALAR("-", "TIMESTAMP INTERVAL", result_timestamp, timestamp_minus_interval,
            STRICT | FALLIBLE | OPERATOR,
            "operators", "timestamp - interval", "The instant that much earlier.")
SCALAR("-", "TIMESTAMP TIMESTAMP", result_interval, timestamp_minus_timestamp, STRICT | OPERATOR,
            "operators", "timestamp - timestamp", "Days of 24 hours, and the rest.")
SCALAR("+", "DATE INTEGER", result_date, date_plus_days, STRICT | FALLIBLE | OPERATOR,
            "operators", "date + days", "The date so many days later.")
SCALAR("+", "INTEGER DATE", result_date, days_plus_date, STRICT | FALLIBLE | OPERATOR,
            "operators", "days + date", "The same.")
SCALAR("-", "DATE INTEGER", result_date, date_minus_days, STRICT | FALLIBLE | OPERATOR,
            "operators", "date - days", "The date so many days earlier.")
SCALAR("-", "DATE DATE", result_integer, date_minus_date, STRICT | OPERATOR,
            "operators", "date - date", "Days between.")
SCALAR("+", "TIME INTERVAL", result_time, time_plus_interval, STRICT | OPERATOR,
            "operators", "time + interval", "The time of day, going round at midnight.")
SCALAR("-", "TIME INTERVAL", result_time, time_minus_interval, STRICT | OPERATOR,
            "operators", "time - interval", "The time of day, going round at midnight.")
SCALAR("-", "TIME TIME", result_interval, time_minus_time, STRICT | OPERATOR,
            "operators", "time - time", "Time between.")
SCALAR("+", "INTERVAL INTERVAL", result_interval, interval_plus_interval,
            STRICT | FALLIBLE | OPERATOR,
            "operators", "interval + interval", "Sum, by months, days and time apart.")
SCALAR("-", "INTERVAL INTERVAL", result_interval, interval_minus_interval,
            STRICT | FALLIBLE | OPERATOR,
            "operators", "interval - interval", "Difference, by months, days and time apart.")
SCALAR("*", "INTERVAL INTEGER", result_interval, interval_times_integer,
            STRICT | FALLIBLE | OPERATOR,
            "operators", "interval * n", "So many times as long.")
SCALAR("*", "INTEGER INTERVAL", result_interval, integer_times_interval,
            STRICT | FALLIBLE | OPERATOR,
            "operators", "n * interval", "So many times as long.")
SCALAR("NEG", "INTERVAL", result_interval, interval_negative, STRICT | FALLIBLE | OPERATOR,
            "operators", "-interval", "The negative.")

/* ---- func/compare.c ---- */
SCALAR_PLAN("=", "EXACT EXACT", result_comparison, plan_compare_eq, STRICT | OPERATOR,
            "operators", "a = b", "Equal; NULL if either is NULL.")
SCALAR_PLAN("=", "DOUBLE DOUBLE", result_comparison, plan_compare_eq, STRICT | OPERATOR,
            "operators", "a = b", "Equal; NULL if either is NULL.")
SCALAR_PLAN("=", "T T", result_comparison, plan_compare_eq, STRICT | OPERATOR,
            "operators", "a = b", "Equal; NULL if either is NULL.")
SCALAR_PLAN("<>|!=", "EXACT EXACT", result_comparison, plan_compare_ne, STRICT | OPERATOR,
            "operators", "a <> b", "Not equal; NULL if either is NULL.")
SCALAR_PLAN("<>|!=", "DOUBLE DOUBLE", result_comparison, plan_compare_ne, STRICT | OPERATOR,
            "operators", "a <> b", "Not equal; NULL if either is NULL.")
SCALAR_PLAN("<>|!=", "T T", result_comparison, plan_compare_ne, STRICT | OPERATOR,
            "operators", "a <> b", "Not equal; NULL if either is NULL.")
SCALAR_PLAN("<", "EXACT EXACT", result_comparison, plan_compare_lt, STRICT | OPERATOR,
            "operators", "a < b", "Less; NULL if either is NULL.")
SCALAR_PLAN("<", "DOUBLE DOUBLE", result_comparison, plan_compare_lt, STRICT | OPERATOR,
            "operators", "a < b", "Less; NULL if either is NULL.")
SCALAR_PLAN("<", "T T", result_comparison, plan_compare_lt, STRICT | OPERATOR,
            "operators", "a < b", "Less; NULL if either is NULL.")
SCALAR_PLAN("<=", "EXACT EXACT", result_comparison, plan_compare_le, STRICT | OPERATOR,
            "operators", "a <= b", "Less or equal; NULL if either is NULL.")
SCALAR_PLAN("<=", "DOUBLE DOUBLE", result_comparison, plan_compare_le, STRICT | OPERATOR,
            "operators", "a <= b", "Less or equal; NULL if either is NULL.")
SCALAR_PLAN("<=", "T T", result_comparison, plan_compare_le, STRICT | OPERATOR,
            "operators", "a <= b", "Less or equal; NULL if either is NULL.")
SCALAR_PLAN(">", "EXACT EXACT", result_comparison, plan_compare_gt, STRICT | OPERATOR,
            "operators", "a > b", "Greater; NULL if either is NULL.")
SCALAR_PLAN(">", "DOUBLE DOUBLE", result_comparison, plan_compare_gt, STRICT | OPERATOR,
            "operators", "a > b", "Greater; NULL if either is NULL.")
SCALAR_PLAN(">", "T T", result_comparison, plan_compare_gt, STRICT | OPERATOR,
            "operators", "a > b", "Greater; NULL if either is NULL.")
SCALAR_PLAN(">=", "EXACT EXACT", result_comparison, plan_compare_ge, STRICT | OPERATOR,
            "operators", "a >= b", "Greater or equal; NULL if either is NULL.")
SCALAR_PLAN(">=", "DOUBLE DOUBLE", result_comparison, plan_compare_ge, STRICT | OPERATOR,
            "operators", "a >= b", "Greater or equal; NULL if either is NULL.")
SCALAR_PLAN(">=", "T T", result_comparison, plan_compare_ge, STRICT | OPERATOR,
            "operators", "a >= b", "Greater or equal; NULL if either is NULL.")
SCALAR_PLAN("IS DISTINCT FROM", "EXACT EXACT", result_comparison, plan_is_distinct, OPERATOR,
            "operators", "a IS DISTINCT FROM b", "Not equal, with NULL as a value like others.")
SCALAR_PLAN("IS DISTINCT FROM", "DOUBLE DOUBLE", result_comparison, plan_is_distinct, OPERATOR,
            "operators", "a IS DISTINCT FROM b", "Not equal, with NULL as a value like others.")
SCALAR_PLAN("IS DISTINCT FROM", "T T", result_comparison, plan_is_distinct, OPERATOR,
            "operators", "a IS DISTINCT FROM b", "Not equal, with NULL as a value like others.")
SCALAR_PLAN("IS NOT DISTINCT FROM", "EXACT EXACT", result_comparison, plan_is_not_distinct,
            OPERATOR,
            "operators", "a IS NOT DISTINCT FROM b", "Equal, with NULL as a value like others.")
SCALAR_PLAN("IS NOT DISTINCT FROM", "DOUBLE DOUBLE", result_comparison, plan_is_not_distinct,
            OPERATOR,
            "operators", "a IS NOT DISTINCT FROM b", "Equal, with NULL as a value like others.")
SCALAR_PLAN("IS NOT DISTINCT FROM", "T T", result_comparison, plan_is_not_distinct, OPERATOR,
            "operators", "a IS NOT DISTINCT FROM b", "Equal, with NULL as a value like others.")

/* ---- func/predicate.c ---- */
SCALAR("NOT", "BOOLEAN", result_boolean, boolean_not, STRICT | OPERATOR,
            "operators", "NOT a", "The opposite; NULL stays NULL.")
SCALAR("IS NULL", "ANY", result_boolean, any_is_null, OPERATOR,
            "operators", "a IS NULL", "Whether there is no value.")
SCALAR("IS NOT NULL", "ANY", result_boolean, any_is_not_null, OPERATOR,
            "operators", "a IS NOT NULL", "Whether there is a value.")
SCALAR("IS TRUE", "BOOLEAN", result_boolean, boolean_is_true, OPERATOR,
            "operators", "a IS TRUE", "Whether a is TRUE.")
SCALAR("IS NOT TRUE", "BOOLEAN", result_boolean, boolean_is_not_true, OPERATOR,
            "operators", "a IS NOT TRUE", "Whether a is FALSE or NULL.")
SCALAR("IS FALSE", "BOOLEAN", result_boolean, boolean_is_false, OPERATOR,
            "operators", "a IS FALSE", "Whether a is FALSE.")
SCALAR("IS NOT FALSE", "BOOLEAN", result_boolean, boolean_is_not_false, OPERATOR,
            "operators", "a IS NOT FALSE", "Whether a is TRUE or NULL.")
SCALAR("IS UNKNOWN", "BOOLEAN", result_boolean, any_is_null, OPERATOR,
            "operators", "a IS UNKNOWN", "Whether a is NULL.")
SCALAR("IS NOT UNKNOWN", "BOOLEAN", result_boolean, any_is_not_null, OPERATOR,
            "operators", "a IS NOT UNKNOWN", "Whether a is TRUE or FALSE.")
SCALAR_PLAN("IN", "T T+", result_comparison, plan_in, OPERATOR,
            "operators", "a IN (b, ...)",
            "Whether a equals one of the list; NULL if none does but one is NULL.")

/* ---- func/like.c ---- */
SCALAR_PLAN("LIKE", "STRING STRING STRING?", result_boolean, plan_like,
            STRICT | FALLIBLE | OPERATOR,
            "operators", "s LIKE pattern [ESCAPE c]", "% stands for any characters, _ for one.")
SCALAR_PLAN("ILIKE", "STRING STRING STRING?", result_boolean, plan_ilike,
            STRICT | FALLIBLE | OPERATOR,
            "operators", "s ILIKE pattern [ESCAPE c]", "LIKE without regard to case.")
SCALAR("||", "TEXT TEXT", result_string, text_concat, STRICT | FALLIBLE | OPERATOR,
            "operators", "a || b", "One text after the other; what is not text is cast to STRING.")
SCALAR("||", "BYTES BYTES", result_bytes, text_concat, STRICT | FALLIBLE | OPERATOR,
            "operators", "a || b", "One after the other.")

/* ---- func/regexp.c ---- */
SCALAR_PLAN("SIMILAR TO", "STRING STRING STRING?", result_boolean, plan_similar,
            STRICT | FALLIBLE | OPERATOR, "operators", "s SIMILAR TO pattern [ESCAPE c]",
            "LIKE's % and _, and | * + ? {m,n} ( ) [ ] as in a regular expression; of all of s.")

/* ---- func/branch.c: forms that compute an argument only where it is needed ---- */
SCALAR_NODE("COALESCE", "T+", result_first, BOUND_COALESCE, "conditional",
            "COALESCE(a, b, ...)", "The first argument that is not NULL.")
SCALAR_NODE("TRY", "ANY", result_first, BOUND_TRY, "conditional", "TRY(expression)",
            "The value, or NULL where computing it is an error of the row.")

/* ---- func/string.c, string_make.c ---- */
SCALAR("LENGTH|LEN|CHAR_LENGTH|CHARACTER_LENGTH", "STRING", result_bigint, string_length, STRICT,
       "string", "LENGTH(s)", "Number of characters (Unicode code points).")
SCALAR("LENGTH|LEN", "BYTES", result_bigint, string_octet_length, STRICT, "string",
       "LENGTH(bytes)", "Number of bytes.")
SCALAR("OCTET_LENGTH", "STRING", result_bigint, string_octet_length, STRICT, "string",
       "OCTET_LENGTH(s)", "Number of bytes in UTF-8.")
SCALAR("OCTET_LENGTH", "BYTES", result_bigint, string_octet_length, STRICT, "string",
       "OCTET_LENGTH(bytes)", "Number of bytes.")
SCALAR("BIT_LENGTH", "STRING", result_bigint, string_bit_length, STRICT, "string",
       "BIT_LENGTH(s)", "Number of bits in UTF-8.")
SCALAR("UPPER|UCASE", "STRING", result_string, string_upper, STRICT | FALLIBLE, "string",
       "UPPER(s)", "Every letter as a capital, in all alphabets, one character for one.")
SCALAR("LOWER|LCASE", "STRING", result_string, string_lower, STRICT | FALLIBLE, "string",
       "LOWER(s)", "Every letter small.")
SCALAR("INITCAP", "STRING", result_string, string_initcap, STRICT | FALLIBLE, "string",
       "INITCAP(s)", "The first letter of each word as a capital, the others small.")
SCALAR("SUBSTRING|SUBSTR", "STRING INTEGER INTEGER?", result_string, string_substring,
       STRICT | FALLIBLE, "string", "SUBSTRING(s, start[, count])",
       "Characters from `start` (1 is the first) on; places before the first hold nothing but "
       "count; a negative count is an error.")
SCALAR("LEFT", "STRING INTEGER", result_string, string_left, STRICT, "string", "LEFT(s, n)",
       "The first n characters; all but the last -n if n is negative.")
SCALAR("RIGHT", "STRING INTEGER", result_string, string_right, STRICT, "string", "RIGHT(s, n)",
       "The last n characters; all but the first -n if n is negative.")
SCALAR("TRIM|BTRIM", "STRING STRING?", result_string, string_trim, STRICT, "string",
       "TRIM(s[, characters])",
       "Without blanks, or any of these characters, at both ends; also TRIM(BOTH c FROM s).")
SCALAR("LTRIM", "STRING STRING?", result_string, string_ltrim, STRICT, "string",
       "LTRIM(s[, characters])", "The same at the start; also TRIM(LEADING c FROM s).")
SCALAR("RTRIM", "STRING STRING?", result_string, string_rtrim, STRICT, "string",
       "RTRIM(s[, characters])", "The same at the end; also TRIM(TRAILING c FROM s).")
SCALAR("LPAD", "STRING INTEGER STRING?", result_string, string_lpad, STRICT | FALLIBLE, "string",
       "LPAD(s, n[, fill])",
       "n characters: filled at the start with blanks or `fill`, or cut at the end.")
SCALAR("RPAD", "STRING INTEGER STRING?", result_string, string_rpad, STRICT | FALLIBLE, "string",
       "RPAD(s, n[, fill])", "n characters: filled at the end, or cut there.")
SCALAR("REPEAT", "STRING INTEGER", result_string, string_repeat, STRICT | FALLIBLE, "string",
       "REPEAT(s, n)", "s n times; empty if n is not positive.")
SCALAR("REVERSE", "STRING", result_string, string_reverse, STRICT | FALLIBLE, "string",
       "REVERSE(s)", "The characters in reverse order.")
SCALAR("REPLACE", "STRING STRING STRING", result_string, string_replace, STRICT | FALLIBLE,
       "string", "REPLACE(s, old, new)", "Every `old` becomes `new`; an empty `old` is nowhere.")
SCALAR("TRANSLATE", "STRING STRING STRING", result_string, string_translate, STRICT | FALLIBLE,
       "string", "TRANSLATE(s, from, to)",
       "Each character of `from` becomes the one at its place in `to`, or vanishes if there "
       "is none.")
SCALAR("CONCAT", "TEXT+", result_string, string_concat, FALLIBLE, "string", "CONCAT(a, ...)",
       "The values as text, one after the other; NULLs are left out (with || they make all NULL).")
SCALAR("CONCAT_WS|JOIN", "STRING TEXT*", result_string, string_concat_ws, FALLIBLE, "string",
       "CONCAT_WS(separator, a, ...)",
       "The values as text with the separator between them; NULLs are left out.")
SCALAR("POSITION|LOCATE", "STRING STRING INTEGER?", result_bigint, string_position,
       STRICT | FALLIBLE, "string", "POSITION(part, s[, from])",
       "Where `part` first occurs at or after `from`, counted from 1; 0 if nowhere; also "
       "POSITION(part IN s).")
SCALAR("STRPOS|INSTR", "STRING STRING", result_bigint, string_strpos, STRICT, "string",
       "STRPOS(s, part)", "Where `part` first occurs, counted from 1; 0 if nowhere.")
SCALAR("STARTS_WITH|STARTSWITH", "STRING STRING", result_boolean, string_starts_with, STRICT,
       "string", "STARTS_WITH(s, prefix)", "Whether s begins with the prefix.")
SCALAR("ENDS_WITH|ENDSWITH", "STRING STRING", result_boolean, string_ends_with, STRICT, "string",
       "ENDS_WITH(s, suffix)", "Whether s ends with the suffix.")
SCALAR("CONTAINS", "STRING STRING", result_boolean, string_contains, STRICT, "string",
       "CONTAINS(s, part)", "Whether `part` occurs in s.")
SCALAR("SPLIT_PART", "STRING STRING INTEGER", result_string, string_split_part, STRICT | FALLIBLE,
       "string", "SPLIT_PART(s, delimiter, n)",
       "Part n counted from 1, or from the end if n is negative; empty if there are fewer; n "
       "= 0 is an error.")
SCALAR("SPLIT", "STRING STRING", result_string_array, string_split, STRICT, "string",
       "SPLIT(s, delimiter)", "All parts as ARRAY<STRING>; an empty delimiter gives the "
       "characters.")
SCALAR("ASCII", "STRING", result_integer, string_ascii, STRICT | FALLIBLE, "string", "ASCII(s)",
       "The number (Unicode code point) of the first character; 0 if there is none.")
SCALAR("CHR", "INTEGER", result_string, string_chr, STRICT | FALLIBLE, "string", "CHR(n)",
       "The character with that number; an error if there is none.")
SCALAR("HEX", "STRING", result_string, string_hex, STRICT | FALLIBLE, "string", "HEX(s)",
       "The bytes of the text as hexadecimal digits, two for each.")
SCALAR("HEX", "BYTES", result_string, string_hex, STRICT | FALLIBLE, "string", "HEX(bytes)",
       "The bytes as hexadecimal digits, two for each.")
SCALAR("HEX", "INTEGER", result_string, string_hex_integer, STRICT, "string", "HEX(n)",
       "The integer in hexadecimal, a negative one in two's complement.")
SCALAR("UNHEX", "STRING", result_bytes, string_unhex, STRICT | FALLIBLE, "string", "UNHEX(s)",
       "The bytes that pairs of hexadecimal digits stand for.")
SCALAR("TO_BASE64", "STRING", result_string, string_to_base64, STRICT | FALLIBLE, "string",
       "TO_BASE64(s)", "The bytes of the text in base64.")
SCALAR("TO_BASE64", "BYTES", result_string, string_to_base64, STRICT | FALLIBLE, "string",
       "TO_BASE64(bytes)", "The bytes in base64.")
SCALAR("FROM_BASE64", "STRING", result_bytes, string_from_base64, STRICT | FALLIBLE, "string",
       "FROM_BASE64(s)", "The bytes that a base64 text stands for.")
SCALAR("HASH", "TEXT", result_bigint, string_hash, STRICT, "string", "HASH(x)",
       "A 64-bit hash of the value as text, the same on every machine and in every version.")
SCALAR("HASH", "BYTES", result_bigint, string_hash, STRICT, "string", "HASH(bytes)",
       "A 64-bit hash of the bytes.")

/* ---- func/regexp.c ---- */
SCALAR_PLAN("REGEXP_LIKE|REGEXP|REGEXP_MATCHES", "STRING STRING STRING?", result_boolean,
            plan_regexp_like, STRICT | FALLIBLE, "regular expressions",
            "REGEXP_LIKE(s, pattern[, flags])",
            "Whether the pattern (of PCRE2) matches somewhere in s; flags: i ignore case, m ^ "
            "and $ at lines, s . matches a newline, x blanks are ignored.")
SCALAR_PLAN("REGEXP_REPLACE", "STRING STRING STRING STRING?", result_string, plan_regexp_replace,
            STRICT | FALLIBLE, "regular expressions",
            "REGEXP_REPLACE(s, pattern, replacement[, flags])",
            "The first match replaced, with flag g all; in the replacement \\1 is group 1, "
            "\\& the match, \\\\ a backslash.")
SCALAR_PLAN("REGEXP_EXTRACT|REGEXP_SUBSTR", "STRING STRING INTEGER?", result_string,
            plan_regexp_extract, STRICT | FALLIBLE, "regular expressions",
            "REGEXP_EXTRACT(s, pattern[, group])",
            "The first match, or a group of it; NULL if nothing matches.")
SCALAR_PLAN("REGEXP_COUNT", "STRING STRING STRING?", result_bigint, plan_regexp_count,
            STRICT | FALLIBLE, "regular expressions", "REGEXP_COUNT(s, pattern[, flags])",
            "Number of matches that do not overlap.")

/* ---- func/json_path.c ---- */
SCALAR_PLAN("JSON_VALUE", "STRING STRING", result_string, plan_json_value, STRICT | FALLIBLE,
            "json", "JSON_VALUE(json, path)",
            "The string, number or boolean at the path ('$.a.b[0]') as text; NULL if there is "
            "none, or an object, array or null.")
SCALAR_PLAN("JSON_QUERY", "STRING STRING", result_json, plan_json_query, STRICT | FALLIBLE, "json",
            "JSON_QUERY(json, path)",
            "The object or array at the path as JSON; NULL if there is none.")
SCALAR_PLAN("JSON_EXTRACT", "STRING STRING", result_json, plan_json_extract, STRICT | FALLIBLE,
            "json", "JSON_EXTRACT(json, path)",
            "Whatever is at the path as JSON; NULL if there is nothing.")
SCALAR_PLAN("JSON_EXISTS", "STRING STRING", result_boolean, plan_json_exists, STRICT | FALLIBLE,
            "json", "JSON_EXISTS(json, path)", "Whether there is anything at the path.")

/* ---- func/math_round.c ---- */
SCALAR_PLAN("ROUND", "EXACT INTEGER? STRING?", result_rounded, plan_round, STRICT | FALLIBLE,
            "math", "ROUND(x[, digits[, mode]])",
            "Rounded exactly to that many fractional digits (0; negative: tens, hundreds); "
            "mode UP, DOWN, CEILING, FLOOR, HALF_UP (default), HALF_DOWN or HALF_EVEN; a "
            "DECIMAL has that scale if it is constant.")
SCALAR_PLAN("ROUND", "DOUBLE INTEGER? STRING?", result_double, plan_round, STRICT | FALLIBLE,
            "math", "ROUND(double[, digits[, mode]])",
            "The same for a DOUBLE, rounding the shortest decimal number that stands for it.")
SCALAR_PLAN("TRUNC|TRUNCATE", "EXACT INTEGER?", result_rounded, plan_trunc, STRICT | FALLIBLE,
            "math", "TRUNC(x[, digits])", "Rounded towards zero.")
SCALAR_PLAN("TRUNC|TRUNCATE", "DOUBLE INTEGER?", result_double, plan_trunc, STRICT | FALLIBLE,
            "math", "TRUNC(double[, digits])", "Rounded towards zero.")
SCALAR_PLAN("CEIL|CEILING", "EXACT", result_whole, plan_ceil, STRICT | FALLIBLE, "math", "CEIL(x)",
            "The smallest whole number that is not below x.")
SCALAR_PLAN("CEIL|CEILING", "DOUBLE", result_double, plan_ceil, STRICT | FALLIBLE, "math",
            "CEIL(double)", "The smallest whole number that is not below x.")
SCALAR_PLAN("FLOOR", "EXACT", result_whole, plan_floor, STRICT | FALLIBLE, "math", "FLOOR(x)",
            "The largest whole number that is not above x.")
SCALAR_PLAN("FLOOR", "DOUBLE", result_double, plan_floor, STRICT | FALLIBLE, "math",
            "FLOOR(double)", "The largest whole number that is not above x.")
SCALAR("ABS", "EXACT", result_first, math_abs_exact, STRICT | FALLIBLE, "math", "ABS(x)",
       "The number without its sign.")
SCALAR("ABS", "DOUBLE", result_double, math_abs_double, STRICT, "math", "ABS(double)",
       "The number without its sign.")
SCALAR("SIGN", "EXACT", result_integer, math_sign_exact, STRICT, "math", "SIGN(x)",
       "-1, 0 or 1.")
SCALAR("SIGN", "DOUBLE", result_double, math_sign_double, STRICT, "math", "SIGN(double)",
       "-1.0, 0.0 or 1.0.")

/* ---- func/math.c ---- */
SCALAR("SQRT", "DOUBLE", result_double, math_sqrt, STRICT | FALLIBLE, "math", "SQRT(x)",
       "Square root; an error if x is negative.")
SCALAR("CBRT", "DOUBLE", result_double, math_cbrt, STRICT | FALLIBLE, "math", "CBRT(x)",
       "Cube root.")
SCALAR("POWER|POW", "DOUBLE DOUBLE", result_double, math_power, STRICT | FALLIBLE, "math",
       "POWER(x, y)", "x to the y.")
SCALAR("EXP", "DOUBLE", result_double, math_exp, STRICT | FALLIBLE, "math", "EXP(x)",
       "e to the x.")
SCALAR("LN", "DOUBLE", result_double, math_ln, STRICT | FALLIBLE, "math", "LN(x)",
       "Natural logarithm; an error if x is not positive.")
SCALAR("LOG10|LOG", "DOUBLE", result_double, math_log10, STRICT | FALLIBLE, "math", "LOG10(x)",
       "Logarithm to base 10; LOG(x) is the same.")
SCALAR("LOG", "DOUBLE DOUBLE", result_double, math_log_base, STRICT | FALLIBLE, "math",
       "LOG(base, x)", "Logarithm to that base.")
SCALAR("LOG2", "DOUBLE", result_double, math_log2, STRICT | FALLIBLE, "math", "LOG2(x)",
       "Logarithm to base 2.")
SCALAR("PI", "", result_double, math_pi, 0, "math", "PI()", "3.141592653589793.")
SCALAR("SIN", "DOUBLE", result_double, math_sin, STRICT | FALLIBLE, "math", "SIN(x)",
       "Sine of an angle in radians.")
SCALAR("COS", "DOUBLE", result_double, math_cos, STRICT | FALLIBLE, "math", "COS(x)", "Cosine.")
SCALAR("TAN", "DOUBLE", result_double, math_tan, STRICT | FALLIBLE, "math", "TAN(x)", "Tangent.")
SCALAR("COT", "DOUBLE", result_double, math_cot, STRICT | FALLIBLE, "math", "COT(x)",
       "Cotangent.")
SCALAR("ASIN", "DOUBLE", result_double, math_asin, STRICT | FALLIBLE, "math", "ASIN(x)",
       "Arc sine; an error if x is not between -1 and 1.")
SCALAR("ACOS", "DOUBLE", result_double, math_acos, STRICT | FALLIBLE, "math", "ACOS(x)",
       "Arc cosine; an error if x is not between -1 and 1.")
SCALAR("ATAN", "DOUBLE", result_double, math_atan, STRICT | FALLIBLE, "math", "ATAN(x)",
       "Arc tangent.")
SCALAR("ATAN2", "DOUBLE DOUBLE", result_double, math_atan2, STRICT, "math", "ATAN2(y, x)",
       "The angle of the point (x, y).")
SCALAR("SINH", "DOUBLE", result_double, math_sinh, STRICT | FALLIBLE, "math", "SINH(x)",
       "Hyperbolic sine.")
SCALAR("COSH", "DOUBLE", result_double, math_cosh, STRICT | FALLIBLE, "math", "COSH(x)",
       "Hyperbolic cosine.")
SCALAR("TANH", "DOUBLE", result_double, math_tanh, STRICT | FALLIBLE, "math", "TANH(x)",
       "Hyperbolic tangent.")
SCALAR("DEGREES", "DOUBLE", result_double, math_degrees, STRICT | FALLIBLE, "math", "DEGREES(x)",
       "Radians to degrees.")
SCALAR("RADIANS", "DOUBLE", result_double, math_radians, STRICT | FALLIBLE, "math", "RADIANS(x)",
       "Degrees to radians.")
SCALAR("MOD", "INTEGER INTEGER", result_integer_wider, integer_remainder, STRICT | FALLIBLE, "math",
       "MOD(a, b)", "Remainder with the sign of a; an error if b is 0.")
SCALAR_PLAN("MOD", "EXACT EXACT", result_decimal_remainder, plan_decimal_remainder,
            STRICT | FALLIBLE, "math", "MOD(a, b)",
            "Remainder with the sign of a; an error if b is 0.")
SCALAR("MOD", "DOUBLE DOUBLE", result_double, double_remainder, STRICT | FALLIBLE, "math",
       "MOD(a, b)", "Remainder with the sign of a; an error if b is 0.")
SCALAR("WIDTH_BUCKET", "DOUBLE DOUBLE DOUBLE INTEGER", result_bigint, math_width_bucket,
       STRICT | FALLIBLE, "math", "WIDTH_BUCKET(x, low, high, n)",
       "Which of n equal buckets between the bounds holds x: 1 to n, 0 before, n + 1 beyond.")
SCALAR("BITAND", "INTEGER INTEGER", result_bigint, math_bit_and, STRICT, "math", "BITAND(a, b)",
       "The bits that are set in both.")
SCALAR("BITOR", "INTEGER INTEGER", result_bigint, math_bit_or, STRICT, "math", "BITOR(a, b)",
       "The bits that are set in either.")
SCALAR("BITXOR", "INTEGER INTEGER", result_bigint, math_bit_xor, STRICT, "math", "BITXOR(a, b)",
       "The bits that are set in one of them.")
SCALAR("BITNOT", "INTEGER", result_bigint, math_bit_not, STRICT, "math", "BITNOT(a)",
       "All 64 bits turned over.")
SCALAR("BIT_COUNT", "INTEGER", result_bigint, math_bit_count, STRICT, "math", "BIT_COUNT(a)",
       "How many of the 64 bits are set.")
SCALAR("SHIFT_LEFT|SHIFTLEFT", "INTEGER INTEGER", result_bigint, math_shift_left,
       STRICT | FALLIBLE, "math", "SHIFT_LEFT(a, n)", "The 64 bits moved n places up.")
SCALAR("SHIFT_RIGHT|SHIFTRIGHT", "INTEGER INTEGER", result_bigint, math_shift_right,
       STRICT | FALLIBLE, "math", "SHIFT_RIGHT(a, n)",
       "The 64 bits moved n places down; the sign stays.")

/* ---- func/temporal_fn.c ---- */
SCALAR_PLAN("NOW|CURRENT_TIMESTAMP|LOCALTIMESTAMP|TIMESTAMP", "", result_timestamp, plan_now,
            VOLATILE, "time", "NOW()",
            "The time of the clock, the same for all calls and rows of a batch.")
SCALAR_PLAN("CURRENT_DATE", "", result_date, plan_current_date, VOLATILE, "time", "CURRENT_DATE",
            "The date of the clock, in UTC.")
SCALAR_PLAN("CURRENT_TIME|LOCALTIME", "", result_time, plan_current_time, VOLATILE, "time",
            "CURRENT_TIME", "The time of day of the clock, in UTC.")
SCALAR_PLAN("EXTRACT|DATE_PART", "STRING TIMESTAMP", result_bigint, plan_extract,
            STRICT | FALLIBLE, "time", "EXTRACT('unit', ts)",
            "One field as a whole number: YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, MILLISECOND "
            "(of the second), DOW, DOY, WEEK, QUARTER, EPOCH, ...; also EXTRACT(unit FROM "
            "ts).")
SCALAR_PLAN("EXTRACT|DATE_PART", "STRING TIME", result_bigint, plan_extract, STRICT | FALLIBLE,
            "time", "EXTRACT('unit', time)", "One field of a time of day.")
SCALAR_PLAN("EXTRACT|DATE_PART", "STRING INTERVAL", result_bigint, plan_extract,
            STRICT | FALLIBLE, "time", "EXTRACT('unit', interval)", "One field of an interval.")
SCALAR_PLAN("YEAR", "TIMESTAMP", result_bigint, plan_part, STRICT | FALLIBLE, "time", "YEAR(ts)",
            "The year.")
SCALAR_PLAN("QUARTER", "TIMESTAMP", result_bigint, plan_part, STRICT | FALLIBLE, "time",
            "QUARTER(ts)", "The quarter, 1 to 4.")
SCALAR_PLAN("MONTH", "TIMESTAMP", result_bigint, plan_part, STRICT | FALLIBLE, "time",
            "MONTH(ts)", "The month, 1 to 12.")
SCALAR_PLAN("WEEK", "TIMESTAMP", result_bigint, plan_part, STRICT | FALLIBLE, "time", "WEEK(ts)",
            "The week of ISO 8601, 1 to 53.")
SCALAR_PLAN("DAY|DAYOFMONTH", "TIMESTAMP", result_bigint, plan_part, STRICT | FALLIBLE, "time",
            "DAY(ts)", "The day of the month, 1 to 31.")
SCALAR_PLAN("DOW", "TIMESTAMP", result_bigint, plan_part, STRICT | FALLIBLE, "time", "DOW(ts)",
            "The day of the week, 0 (Sunday) to 6.")
SCALAR_PLAN("DOY|DAYOFYEAR", "TIMESTAMP", result_bigint, plan_part, STRICT | FALLIBLE, "time",
            "DOY(ts)", "The day of the year, 1 to 366.")
SCALAR_PLAN("HOUR", "TIMESTAMP", result_bigint, plan_part, STRICT | FALLIBLE, "time", "HOUR(ts)",
            "The hour, 0 to 23.")
SCALAR_PLAN("MINUTE", "TIMESTAMP", result_bigint, plan_part, STRICT | FALLIBLE, "time",
            "MINUTE(ts)", "The minute, 0 to 59.")
SCALAR_PLAN("SECOND", "TIMESTAMP", result_bigint, plan_part, STRICT | FALLIBLE, "time",
            "SECOND(ts)", "The second, 0 to 59.")
SCALAR_PLAN("DATE_TRUNC", "STRING TIMESTAMP", result_timestamp, plan_date_trunc,
            STRICT | FALLIBLE, "time", "DATE_TRUNC('unit', ts)",
            "The start of the unit that holds ts; a week starts on Monday.")
SCALAR_PLAN("DATEDIFF|DATE_DIFF|TIMESTAMPDIFF", "STRING TIMESTAMP TIMESTAMP", result_bigint,
            plan_datediff, STRICT | FALLIBLE, "time", "DATEDIFF('unit', a, b)",
            "Whole units from a to b; negative if b is earlier.")
SCALAR_PLAN("DATE_ADD|DATEADD|TIMESTAMPADD", "STRING INTEGER TIMESTAMP", result_timestamp,
            plan_date_add_unit, STRICT | FALLIBLE, "time", "DATE_ADD('unit', n, ts)",
            "ts moved on by n units.")
SCALAR("DATE_ADD", "TIMESTAMP INTERVAL", result_timestamp, temporal_add, STRICT | FALLIBLE,
       "time", "DATE_ADD(ts, interval)", "ts moved on by the interval; months first, then days.")
SCALAR("DATE_SUB", "TIMESTAMP INTERVAL", result_timestamp, temporal_sub, STRICT | FALLIBLE,
       "time", "DATE_SUB(ts, interval)", "ts moved back by the interval.")
SCALAR_PLAN("DATE_FORMAT", "TIMESTAMP STRING STRING?", result_string, plan_date_format,
            STRICT | FALLIBLE, "time", "DATE_FORMAT(ts, pattern[, zone])",
            "ts written by a pattern of strftime, in UTC or a constant time zone such as "
            "'Europe/Berlin'.")
SCALAR("DAYNAME", "TIMESTAMP", result_string, temporal_day_name, STRICT | FALLIBLE, "time",
       "DAYNAME(ts)", "The English name of the weekday.")
SCALAR("MONTHNAME", "TIMESTAMP", result_string, temporal_month_name, STRICT | FALLIBLE, "time",
       "MONTHNAME(ts)", "The English name of the month.")
SCALAR_PLAN("TO_TIMESTAMP", "STRING STRING?", result_timestamp, plan_to_timestamp,
            STRICT | FALLIBLE, "time", "TO_TIMESTAMP(s[, pattern])",
            "The timestamp that a text stands for: ISO 8601, or by a pattern of strftime; in "
            "UTC unless the text names a zone.")
SCALAR("TO_TIMESTAMP|FROM_UNIXTIME", "INTEGER", result_timestamp, temporal_from_seconds,
       STRICT | FALLIBLE, "time", "FROM_UNIXTIME(seconds)",
       "The timestamp so many seconds after 1970-01-01T00:00:00Z; TO_TIMESTAMP of a number is "
       "the same.")
SCALAR("TO_TIMESTAMP|FROM_UNIXTIME", "DECIMAL", result_timestamp, temporal_from_seconds_decimal,
       STRICT | FALLIBLE, "time", "FROM_UNIXTIME(seconds)",
       "The same for seconds with a fraction, of which no digit may be lost.")
SCALAR("TO_TIMESTAMP|FROM_UNIXTIME", "DOUBLE", result_timestamp, temporal_from_seconds_double,
       STRICT | FALLIBLE, "time", "FROM_UNIXTIME(seconds)",
       "The same for a DOUBLE, rounded to microseconds.")
SCALAR_PLAN("TO_DATE", "STRING STRING?", result_date, plan_to_date, STRICT | FALLIBLE, "time",
            "TO_DATE(s[, pattern])", "The date that a text stands for.")
SCALAR_PLAN("UNIX_TIMESTAMP", "", result_bigint, plan_unix_now, VOLATILE, "time",
            "UNIX_TIMESTAMP()", "Whole seconds since 1970-01-01T00:00:00Z by the clock.")
SCALAR("UNIX_TIMESTAMP", "TIMESTAMP", result_bigint, temporal_to_seconds, STRICT, "time",
       "UNIX_TIMESTAMP(ts)", "Whole seconds since 1970-01-01T00:00:00Z, rounded down.")
SCALAR("EPOCH_MS|TO_EPOCH_MILLIS|UNIX_MILLIS", "TIMESTAMP", result_bigint, temporal_to_millis,
       STRICT, "time", "EPOCH_MS(ts)", "Whole milliseconds since 1970-01-01T00:00:00Z.")
SCALAR("EPOCH_US|TO_EPOCH_MICROS|UNIX_MICROS", "TIMESTAMP", result_bigint, temporal_to_micros,
       STRICT, "time", "EPOCH_US(ts)", "Microseconds since 1970-01-01T00:00:00Z.")
SCALAR("FROM_EPOCH_MILLIS|TIMESTAMP_MILLIS", "INTEGER", result_timestamp, temporal_from_millis,
       STRICT | FALLIBLE, "time", "FROM_EPOCH_MILLIS(n)",
       "The timestamp n milliseconds after 1970-01-01T00:00:00Z.")
SCALAR("FROM_EPOCH_MICROS|TIMESTAMP_MICROS", "INTEGER", result_timestamp, temporal_from_micros,
       STRICT | FALLIBLE, "time", "FROM_EPOCH_MICROS(n)",
       "The timestamp n microseconds after 1970-01-01T00:00:00Z.")
SCALAR("TO_TIMESTAMP_LTZ", "INTEGER INTEGER", result_timestamp, temporal_from_precision,
       STRICT | FALLIBLE, "time", "TO_TIMESTAMP_LTZ(n, precision)",
       "The timestamp n units after 1970-01-01T00:00:00Z: seconds (0), milliseconds (3), "
       "microseconds (6), nanoseconds (9).")
SCALAR("MAKE_DATE", "INTEGER INTEGER INTEGER", result_date, temporal_make_date,
       STRICT | FALLIBLE, "time", "MAKE_DATE(year, month, day)",
       "The date; an error if there is none such.")
SCALAR("LAST_DAY", "DATE", result_date, temporal_last_day, STRICT, "time", "LAST_DAY(date)",
       "The last day of its month.")

/* ---- func/conditional.c ---- */
SCALAR_NODE("IF|IIF", "BOOLEAN T T", result_second, BOUND_CASE, "conditional",
            "IF(condition, a, b)", "a if the condition is true, else b; only that one is "
            "evaluated.")
SCALAR_NODE("IFNULL|NVL", "T T", result_first, BOUND_COALESCE, "conditional", "IFNULL(a, b)",
            "a, or b if a is NULL.")
SCALAR("NVL2", "ANY T T", result_single, conditional_nvl2, 0, "conditional", "NVL2(x, a, b)",
       "a if x is not NULL, else b.")
SCALAR("NULLIF", "T T", result_single, conditional_nullif, 0, "conditional", "NULLIF(a, b)",
       "NULL if both are equal, else a.")
SCALAR("GREATEST", "T+", result_single, conditional_greatest, 0, "conditional",
       "GREATEST(a, ...)", "The largest of the values; NULLs do not count.")
SCALAR("LEAST", "T+", result_single, conditional_least, 0, "conditional", "LEAST(a, ...)",
       "The smallest of the values; NULLs do not count.")

/* ---- func/nested_make.c ---- */
SCALAR("ARRAY", "T+", result_array, nested_array, 0, "nested", "ARRAY(a, ...)",
       "An array of the values; also ARRAY[a, ...].")
SCALAR("STRUCT|ROW|NAMED_STRUCT", "ANY+", result_struct, nested_struct, 0, "nested",
       "STRUCT(a [AS name], ...)",
       "A struct of the values; also ROW(a, ...) and NAMED_STRUCT('name', a, ...).")
SCALAR("MAP", "ANY ANY ANY*", result_map, nested_map, FALLIBLE, "nested", "MAP(key, value, ...)",
       "A map of the entries, no key twice; also MAP[key, value, ...].")
SCALAR("MAP_FROM_ARRAYS", "ARRAY ARRAY", result_map_of, nested_map_of, STRICT | FALLIBLE,
       "nested", "MAP_FROM_ARRAYS(keys, values)", "A map of the entries of two arrays.")

/* ---- func/nested.c ---- */
SCALAR("ARRAY_LENGTH|CARDINALITY", "ARRAY", result_bigint, nested_length, STRICT, "nested",
       "ARRAY_LENGTH(array)", "Number of elements.")
SCALAR("CARDINALITY", "MAP", result_bigint, nested_length, STRICT, "nested", "CARDINALITY(map)",
       "Number of entries.")
SCALAR("ARRAY_CONTAINS", "ARRAY ANY", result_contains, nested_contains, STRICT, "nested",
       "ARRAY_CONTAINS(array, x)", "Whether an element equals x.")
SCALAR("= ANY", "ANY ARRAY", result_any_of, nested_any_equal, OPERATOR, "operators",
       "x = ANY (array)", "Whether x = an element; NULL if that hangs on a NULL; also ALL.")
SCALAR("<> ANY", "ANY ARRAY", result_any_of, nested_any_unequal, OPERATOR, "operators",
       "x <> ANY (array)", "Whether x <> an element; NULL if that hangs on a NULL; also ALL.")
SCALAR("< ANY", "ANY ARRAY", result_any_of, nested_any_less, OPERATOR, "operators",
       "x < ANY (array)", "Whether x < an element; NULL if that hangs on a NULL; also ALL.")
SCALAR("<= ANY", "ANY ARRAY", result_any_of, nested_any_less_equal, OPERATOR, "operators",
       "x <= ANY (array)", "Whether x <= an element; NULL if that hangs on a NULL; also ALL.")
SCALAR("> ANY", "ANY ARRAY", result_any_of, nested_any_greater, OPERATOR, "operators",
       "x > ANY (array)", "Whether x > an element; NULL if that hangs on a NULL; also ALL.")
SCALAR(">= ANY", "ANY ARRAY", result_any_of, nested_any_greater_equal, OPERATOR, "operators",
       "x >= ANY (array)", "Whether x >= an element; NULL if that hangs on a NULL; also ALL.")
SCALAR("ARRAY_POSITION", "ARRAY ANY", result_position, nested_position, STRICT, "nested",
       "ARRAY_POSITION(array, x)", "Place of the first element that equals x, from 1; 0 if "
       "there is none.")
SCALAR("ELEMENT_AT", "ARRAY INTEGER", result_element, nested_element, STRICT, "nested",
       "ELEMENT_AT(array, n)",
       "Element n, counted from 1 or by a negative number from the end; NULL if there is "
       "none; also array[n].")
SCALAR("ELEMENT_AT", "MAP ANY", result_map_value, nested_map_value, STRICT, "nested",
       "ELEMENT_AT(map, key)", "The value of that key, NULL if there is none; also map[key].")
SCALAR("MAP_KEYS", "MAP", result_map_keys, nested_map_keys, STRICT, "nested", "MAP_KEYS(map)",
       "The keys as an array.")
SCALAR("MAP_VALUES", "MAP", result_map_values, nested_map_values, STRICT, "nested",
       "MAP_VALUES(map)", "The values as an array, in the order of MAP_KEYS.")

#undef STRICT
#undef FALLIBLE
#undef VOLATILE
#undef OPERATOR
#undef SCALAR
#undef SCALAR_PLAN
#undef SCALAR_NODE
