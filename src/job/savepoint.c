/* job/savepoint.c -- make a savepoint, and read what it is of. */
#include "job/savepoint.h"

#include <errno.h>
#include <sys/random.h>
#include <unistd.h>

#include "job/job_internal.h"
#include "state/record.h"
#include "state/store.h"

#define CONTENTS   "contents"
#define NAME_SHOWN 100
#define MEMORY     ((size_t)16 << 20)
#define ID_KEY     STR("id")
#define NAME_KEY   STR("statement ")

/* ---------------------------------------------------------------- names */

const char *
savepoint_folder(const ScriptPlan *plan, const char *name, Arena *arena)
{
	const Str *dir = plan->count > 0 ? &plan->items[0]->job[JOB_STATE_DIR].text : NULL;
	char standard[512];

	if (strchr(name, '/') != NULL)
		return name;
	if (dir != NULL && dir->data != NULL)
		return str_format(arena, "%.*s/savepoints/%s", STR_ARG(*dir), name).data;
	return str_format(arena, "%s/savepoints/%s", store_default_dir(standard, sizeof standard),
			  name)
		.data;
}

Status
savepoint_journal(const char *folder, const char *name, Journal **out, Error *err)
{
	return journal_open(&(JournalSpec){.dir = folder, .name = name, .memory = MEMORY}, out,
			    err);
}

const char *
savepoint_name(Arena *arena, Str statement)
{
	char shown[NAME_SHOWN + 1] = "";

	for (uint32_t i = 0; i < statement.len && i < NAME_SHOWN; i++)
		shown[i] = statement.data[i] == '/' ? '_' : statement.data[i];
	return str_format(arena, "%s-%016llx", shown, (unsigned long long)str_hash(statement)).data;
}

/* ---------------------------------------------------------------- making */

/* Facts begin with SAVEPOINT_FACT, which no operator's number does. */
static Status
put_fact(Journal *journal, const char *kind, uint32_t number, Str value, Error *err)
{
	char key[32];
	int len = snprintf(key, sizeof key - sizeof number, SAVEPOINT_FACT "%s", kind);
	uint32_t swapped = __builtin_bswap32(number);

	memcpy(key + len, &swapped, sizeof swapped);
	return journal_put(journal, (Str){key, (uint32_t)len + sizeof swapped}, value, err);
}

/* To whom the records belong. */
static Status
put_facts(Job *job, Journal *journal, Error *err)
{
	const StatementPlan *plan = job->spec.plan;
	KeptStates states = plan_kept_states(&job->arena, plan);

	for (uint32_t i = 0; i < states.count && job->keeps_state; i++)
		TRY(put_fact(journal, SAVEPOINT_OPERATOR, states.items[i].number,
			     states.items[i].shape, err));
	for (uint32_t i = 0; i < plan->scan_count; i++)
		TRY(put_fact(journal, SAVEPOINT_SOURCE, i, plan->scans[i]->scan.endpoint->name,
			     err));
	for (uint32_t i = 0; i < plan->scan_count; i++)
		if (job->inputs[i].end_is_out)
			TRY(put_fact(journal, SAVEPOINT_ENDED, i, STR(""), err));
	return put_fact(journal, SAVEPOINT_SINK, 0, job_output(job), err);
}

static Status
save_records(Job *job, Journal *journal, Error *err)
{
	TRY(journal_put_all(journal, job->gathering.records, err));
	TRY(put_facts(job, journal, err));
	return journal_commit(journal, err);
}

/* `*kept`: it keeps something, which is in the savepoint now. */
static Status
save_job(Job *job, const char *folder, bool *kept, Error *err)
{
	Journal *journal;
	bool empty;

	*kept = false;
	TRY(job_open_records(job, err));
	if (!job->keeps_records)
		return FERRIS_OK;
	TRY(job_check_owner(job, err));
	TRY(gathering_is_empty(&job->gathering, &empty, err));
	if (empty)
		return FERRIS_OK;
	Status status = savepoint_journal(folder, savepoint_name(&job->arena, job->spec.plan->name),
					  &journal, err);
	if (status == FERRIS_OK)
		status = journal_remove(journal, err); /* of one that was not finished */
	if (status == FERRIS_OK)
		status = save_records(job, journal, err);
	journal_close(journal);
	*kept = status == FERRIS_OK;
	return status;
}

static Status
save_statement(const JobSpec *spec, const char *folder, Journal *contents, Error *err)
{
	Job *job = job_new(spec);
	char key[sizeof "statement " + NAME_SHOWN * 4];
	bool kept;
	Status status = save_job(job, folder, &kept, err);

	job_close(job);
	if (status != FERRIS_OK || !kept)
		return status;
	int len = snprintf(key, sizeof key, "statement %.*s", STR_ARG(spec->plan->name));
	if (len >= (int)sizeof key)
		return error_set(err, FERRIS_ERR_LIMIT, "the name '%.*s' is too long",
				 STR_ARG(spec->plan->name));
	return journal_put(contents, (Str){key, (uint32_t)len}, STR(""), err);
}

static Status
put_id(Journal *contents, Error *err)
{
	uint64_t id[2];

	if (getrandom(id, sizeof id, 0) != sizeof id) {
		error_set(err, FERRIS_ERR_SYSTEM, "cannot get a random number");
		return error_errno(err, errno);
	}
	return journal_put(contents, ID_KEY, (Str){(const char *)id, sizeof id}, err);
}

Status
savepoint_check(const ScriptPlan *plan, Error *err)
{
	for (uint32_t i = 0; i < plan->count; i++) {
		const StatementPlan *item = plan->items[i];

		if (!item->partitioned)
			continue;
		error_set(err, FERRIS_ERR_NOT_SUPPORTED,
			  "'%.*s' keeps its state partition by partition, of which there are no "
			  "savepoints",
			  STR_ARG(item->name));
		error_hint(err, "leave 'state.partitioned' out, or the savepoint");
		return option_error(&item->job[JOB_STATE_PARTITIONED], err);
	}
	return FERRIS_OK;
}

static Status
make(const ScriptPlan *plan, Str application, void *environment, const char *folder,
     Journal *contents, Error *err)
{
	if (journal_has_epochs(contents)) {
		error_set(err, FERRIS_ERR_SAVEPOINT, "there is a savepoint in '%s' already",
			  folder);
		return error_hint(err, "choose another name, or remove that folder");
	}
	TRY(put_id(contents, err));
	for (uint32_t i = 0; i < plan->count; i++) {
		JobSpec spec = {.plan = plan->items[i],
				.application = application,
				.environment = environment,
				.row_limit = INT64_MAX};

		if (!plan->items[i]->waits)
			TRY(save_statement(&spec, folder, contents, err));
	}
	return journal_commit(contents, err);
}

Status
savepoint_make(const ScriptPlan *plan, Str application, void *environment, const char *folder,
	       Error *err)
{
	Journal *contents;

	TRY(savepoint_check(plan, err));
	Status status = savepoint_journal(folder, CONTENTS, &contents, err);
	if (status == FERRIS_OK)
		status = make(plan, application, environment, folder, contents, err);
	journal_close(contents);
	return status;
}

/* ---------------------------------------------------------------- reading */

Status
savepoint_exists(const char *folder, bool *exists, Error *err)
{
	Journal *contents;

	*exists = false;
	if (access(folder, F_OK) != 0)
		return FERRIS_OK;
	Status status = savepoint_journal(folder, CONTENTS, &contents, err);
	*exists = status == FERRIS_OK && journal_has_epochs(contents);
	journal_close(contents);
	return status;
}

typedef struct ContentsReader {
	Savepoint *out;
	Arena *arena;
} ContentsReader;

static Status
take_content(void *context, Str key, Str value, Error *err)
{
	ContentsReader *reader = context;
	Savepoint *out = reader->out;
	uint32_t n = out->count;

	(void)err;
	if (str_eq(key, ID_KEY))
		out->id = str_copy(reader->arena, value);
	if (!str_starts_with(key, NAME_KEY))
		return FERRIS_OK;
	if ((n & (n - 1)) == 0) { /* full at each power of two */
		Str *more = ARENA_ARRAY(reader->arena, Str, n == 0 ? 1 : 2 * n);

		if (n > 0)
			memcpy(more, out->names, sizeof *more * n);
		out->names = more;
	}
	out->names[out->count++] = str_copy(reader->arena, str_skip(key, NAME_KEY.len));
	return FERRIS_OK;
}

static Status
read_contents(const char *folder, Arena *arena, Savepoint *out, Error *err)
{
	ContentsReader reader = {out, arena};
	Journal *contents;
	Status status = savepoint_journal(folder, CONTENTS, &contents, err);

	if (status == FERRIS_OK)
		status = journal_read(contents, take_content, &reader, err);
	journal_close(contents);
	return status;
}

static bool
has_statement(const ScriptPlan *plan, Str name)
{
	for (uint32_t i = 0; i < plan->count; i++)
		if (str_eq(plan->items[i]->name, name))
			return true;
	return false;
}

static Status
check_names(const ScriptPlan *plan, const Savepoint *savepoint, Error *err)
{
	for (uint32_t i = 0; i < savepoint->count && !savepoint->drops; i++) {
		if (has_statement(plan, savepoint->names[i]))
			continue;
		error_set(err, FERRIS_ERR_SAVEPOINT,
			  "the savepoint holds the state of '%.*s', which no statement here has",
			  STR_ARG(savepoint->names[i]));
		return error_hint(err, "keep that statement, or say --drop-state");
	}
	return FERRIS_OK;
}

Status
savepoint_open(const ScriptPlan *plan, const char *folder, bool drops, Arena *arena, Savepoint *out,
	       Error *err)
{
	*out = (Savepoint){.folder = folder, .drops = drops};
	TRY(savepoint_check(plan, err));
	TRY(access(folder, F_OK) == 0 ? read_contents(folder, arena, out, err) : FERRIS_OK);
	if (out->id.data == NULL) {
		error_set(err, FERRIS_ERR_SAVEPOINT, "there is no savepoint in '%s'", folder);
		return error_hint(err,
				  "one is made by `ferris-sql savepoint NAME --file FILE.sql`, "
				  "or by `execute --savepoint NAME` when it is stopped");
	}
	return check_names(plan, out, err);
}
