/* base/error_list.h -- every error the program can report, one row each.
 *
 * ERROR(name, number, exit, flags, summary)
 *   name     FERRIS_ERR_<name> in C
 *   number   printed as FS<number>; never reused, never renumbered
 *   exit     the process exit code when this error ends a command:
 *            1 the SQL or the data is wrong, 2 the command line, 3 the environment
 *   flags    0, or ERROR_RETRIABLE, ERROR_REQUIRES_ABORT, ERROR_FATAL: what a caller may do
 *   summary  one sentence for docs/errors.md
 *
 * 10xx text of the SQL, 12xx names and types, 13xx planning, 14xx options,
 * 20xx data of a record, 30xx files, 31xx Kafka, 32xx state, 40xx command line, 90xx inside. */
#ifndef ERROR
#error "define ERROR(name, number, exit, flags, summary) before including base/error_list.h"
#endif

ERROR(LEX,              1001, 1, 0, "A character or literal that SQL does not have, or one without its end.")
ERROR(SYNTAX,           1002, 1, 0, "The text does not follow the grammar.")
ERROR(NESTING,          1003, 1, 0, "An expression or query is nested deeper than the limit.")
ERROR(NUMBER_LITERAL,   1004, 1, 0, "A number in the SQL is outside what the type can hold.")

ERROR(UNKNOWN_TABLE,    1201, 1, 0, "No stream or table of that name is declared.")
ERROR(DUPLICATE_NAME,   1202, 1, 0, "A name is declared twice.")
ERROR(AMBIGUOUS,        1203, 1, 0, "A column name fits more than one relation.")
ERROR(UNKNOWN_COLUMN,   1204, 1, 0, "No column of that name is in scope.")
ERROR(UNKNOWN_FUNCTION, 1205, 1, 0, "No function of that name exists.")
ERROR(ARGUMENTS,        1206, 1, 0, "A function was given the wrong number or types of arguments.")
ERROR(TYPE,             1207, 1, 0, "Operands or a result have a type that does not fit.")
ERROR(UNKNOWN_TYPE,     1208, 1, 0, "No type of that name exists.")
ERROR(CONSTANT,         1209, 1, 0, "A constant expression fails whenever it is evaluated.")
ERROR(COLUMN_COUNT,     1210, 1, 0, "The query yields another number of columns than its target has.")
ERROR(DEPENDENT,        1211, 1, 0, "A name cannot be dropped while the query of another one reads it.")

ERROR(NOT_SUPPORTED,    1301, 1, 0, "The statement is understood, but this version cannot run it.")
ERROR(NO_SCHEMA,        1302, 1, 0, "No schema is declared and none could be inferred.")
ERROR(NO_SINK,          1303, 1, 0, "The query has no place to write to.")
ERROR(CHANGELOG,        1304, 1, 0, "The query takes rows back, which something in it or its sink cannot do.")

ERROR(UNKNOWN_OPTION,   1401, 1, 0, "No option of that name applies here.")
ERROR(OPTION_VALUE,     1402, 1, 0, "An option's value is not of its type or outside its range.")
ERROR(OPTION_MISSING,   1403, 1, 0, "An option that is needed is not given.")
ERROR(OPTION_CONFLICT,  1404, 1, 0, "Two options contradict each other.")

ERROR(BAD_RECORD,       2001, 1, 0, "A record is not well-formed in its format.")
ERROR(BAD_VALUE,        2002, 1, 0, "A field's value does not fit its column's type.")
ERROR(OUT_OF_RANGE,     2003, 1, 0, "A number is outside the range of its type.")
ERROR(DIVISION_BY_ZERO, 2004, 1, 0, "A division or remainder by zero.")
ERROR(BAD_CAST,         2005, 1, 0, "A value cannot be converted to the type.")
ERROR(DIGIT_LOSS,       2006, 1, 0, "An implicit conversion would lose a digit.")
ERROR(BAD_ARGUMENT,     2007, 1, 0, "A function's argument is outside its domain.")
ERROR(NOT_NULL,         2008, 1, 0, "NULL in a column that is declared NOT NULL.")
ERROR(RECORD_TOO_LARGE, 2009, 1, 0, "A record is larger than the limit.")
ERROR(UTF8,             2010, 1, 0, "Text is not valid UTF-8.")
ERROR(SEVERAL_ROWS,     2011, 1, 0, "A subquery that stands for one value yields several rows.")

ERROR(FILE_OPEN,        3001, 3, 0, "A file cannot be opened.")
ERROR(FILE_READ,        3002, 3, ERROR_RETRIABLE, "A file cannot be read.")
ERROR(FILE_WRITE,       3003, 3, ERROR_RETRIABLE, "A file cannot be written.")
ERROR(COMPRESSION,      3004, 1, 0, "Compressed input is damaged or cut short.")
ERROR(BROKEN_PIPE,      3005, 3, ERROR_FATAL, "The reader of the output has gone away.")
ERROR(FILE_CHANGED,     3006, 3, 0, "A file is not the one that the statement has read or written before.")

ERROR(KAFKA_CONFIG,     3101, 1, 0, "librdkafka refuses a property.")
ERROR(KAFKA_CONNECT,    3102, 3, ERROR_RETRIABLE, "No broker can be reached.")
ERROR(KAFKA_READ,       3103, 3, ERROR_RETRIABLE, "A topic cannot be read.")
ERROR(KAFKA_WRITE,      3104, 3, ERROR_RETRIABLE, "A record could not be delivered.")
ERROR(KAFKA_COMMIT,     3105, 3, ERROR_RETRIABLE, "Offsets could not be committed.")
ERROR(KAFKA_TOPIC,      3106, 3, 0, "A topic does not exist or cannot be created.")

ERROR(KAFKA_EPOCH,      3107, 3, ERROR_REQUIRES_ABORT, "A transaction failed; its epoch is read and written again.")
ERROR(KAFKA_FENCED,     3108, 3, ERROR_FATAL, "Another process has taken this one's place.")
ERROR(PREFLIGHT,        3109, 1, 0, "A setting of the broker, of a topic or of an option would break exactly-once.")

ERROR(STATE,            3201, 3, ERROR_RETRIABLE, "State cannot be written to disk or read from it.")
ERROR(STATE_DAMAGED,    3202, 3, ERROR_FATAL, "State on disk is damaged, or of another query or version.")
ERROR(SAVEPOINT,        3203, 1, 0, "A savepoint is missing, or does not fit the statements that start from it.")

ERROR(USAGE,            4001, 2, 0, "The command line is wrong.")
ERROR(TEST_FAILED,      4002, 1, 0, "A SQL test did not give what it expects.")

ERROR(INTERRUPTED,      9001, 3, 0, "Stopped by a signal.")
ERROR(LIMIT,            9002, 3, 0, "A buffer or table reached its limit.")
ERROR(SYSTEM,           9003, 3, 0, "The operating system refused a call.")

#undef ERROR
