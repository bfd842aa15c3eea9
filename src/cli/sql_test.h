/* cli/sql_test.h -- SQL tests: what a .test file says, and running it.
 *
 * A file holds tests.  A line that begins with '#' outside a block is a comment.  A block follows
 * its directive and ends at an empty line.
 *
 *     test NAME                  begins a test
 *     sql                        block: the statements
 *     set KEY=VALUE              as --set of the command line
 *     input STREAM [keyed] [partition=N]
 *                                block: one record a line; keyed: key, '|', value; \N is null;
 *                                "\pause 30s": the partition is at its end for so long
 *     file NAME                  block: a file, found by the SQL as ${DIR}/NAME
 *     output STREAM [keyed] [unordered]
 *                                block: the records that must come out
 *     rows [unordered]           block: the rows of the plain SELECT, as JSON
 *     expect-file NAME           block: what the file must hold at the end
 *     no-file NAME               no such file may be there at the end
 *     explain                    block: the plan of the first statement that has one
 *     counters in=N out=N filtered=N failed=N limited=N
 *     error CODE [LINE:COLUMN] [TEXT]
 *                                the error; TEXT must be part of the message or hint
 *
 * A stream without a connector is a topic in memory.  Each test runs several times, with the input
 * cut into other batches and on 1, 2 and 4 tasks; every run must give the same.  In one of the ways
 * its statements are exactly-once, and killed and started again where a seed says so.  After a run
 * without error the books must balance: in = out + filtered + failed + limited. */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "base/disk_trial.h"
#include "base/option.h"

typedef enum BlockKind {
	BLOCK_INPUT,
	BLOCK_FILE,
	BLOCK_OUTPUT,
	BLOCK_ROWS,
	BLOCK_EXPECT_FILE,
	BLOCK_NO_FILE, /* the name is the one line */
	BLOCK_EXPLAIN,
	BLOCK_COUNTERS, /* its directive's words are the one line */
	BLOCK_ERROR,    /* likewise */
} BlockKind;

typedef struct TestBlock {
	BlockKind kind;
	Str name; /* of the stream or file */
	bool keyed;
	bool unordered;
	uint32_t partition; /* of an input */
	Str *lines;
	uint32_t line_count;
	uint32_t at; /* line of the directive in the file */
} TestBlock;

typedef struct SqlTest {
	Str name;
	uint32_t at;
	Str sql;
	TestBlock *blocks;
	uint32_t block_count;
	OptionEntry *settings;
	uint32_t setting_count;
	uint32_t partitions; /* of the input that has most */
} SqlTest;

typedef struct TestFile {
	const char *path;
	SqlTest *tests;
	uint32_t count;
} TestFile;

/* FERRIS_ERR_SYNTAX with the line for a file that does not follow the form. */
Status sql_test_parse(Arena *arena, const char *path, Str text, TestFile *out, Error *err);

/* How tests run, and what came of the runs with crashes. */
typedef struct SqlTestRuns {
	uint64_t seed;     /* of the crashes; the first one */
	uint32_t seeds;    /* how many runs with crashes, from seed to seed */
	bool crashes_only; /* leave out the other ways */
	const char *keep;  /* where each run makes its folder ${DIR}, and leaves it; NULL: in /tmp,
			    * and it is removed */
	uint64_t runs;     /* with crashes */
	uint64_t survived; /* crashes in them */
	uint64_t left_out; /* tests with no statement that can be exactly-once */
	DiskCounters disk; /* what went wrong with files */
	uint64_t repeated; /* records that came twice */
	uint64_t expelled; /* processes that were taken for dead */
} SqlTestRuns;

/* Runs one test in all variations; true if it passed, else `why` says what was wrong. */
bool sql_test_run(const SqlTest *test, SqlTestRuns *runs, Buffer *why);
