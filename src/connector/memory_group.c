/* connector/memory_group.c -- processes that share the partitions of a topic, step by step.
 *
 * For simulation (MemoryBroker.shares): two readers of one group are members that stand for two
 * processes.  One of them runs at a time, from read to read: a read gives the turn away, or keeps
 * it, as the seed says, so that a seed repeats a run exactly although each has threads of its own.
 * One that was killed keeps the turn until it has been opened anew; it joins the group again with
 * its next read, and the other one has all partitions until then.
 *
 * The group deals its partitions anew when a member joins or leaves, and when the seed says so: a
 * member that holds what is dealt to the other hears READ_REVOKED, and the other one goes on where
 * the group stands once it was released.  A member that is taken for dead, as one that was frozen
 * would be, is not asked: its partitions go at once, it reads on in what it has fetched, and what
 * it commits is refused.
 *
 * What is read must be committed before anybody may come to the end, else nobody would be left who
 * reads it again. */
#include "base/clock.h"
#include "connector/memory_broker.h"

#define TURN_MAX_MS  10000 /* something is wrong: nobody comes back */
#define EXPELLED_MAX 4     /* of each group */
#define TURN_IN      3     /* the turn goes to the other member in one of so many reads */
#define DEAL_IN      12    /* partitions are dealt anew */
#define EXPEL_IN     12    /* a member is taken for dead */
#define FETCHED_MAX  6     /* so often it still reads then */
#define NOBODY       UINT8_MAX

static MemoryGroup *
find_group(MemoryReader *reader)
{
	MemoryTopic *topic = reader->topic;

	for (MemoryGroup *group = topic->groups; group != NULL; group = group->next)
		if (str_eq(group->name, reader->group))
			return group;
	MemoryGroup *group = ARENA_NEW(&reader->broker->arena, MemoryGroup);
	group->name = str_copy(&reader->broker->arena, reader->group);
	memset(group->dealt, NOBODY, sizeof group->dealt);
	group->next = topic->groups;
	topic->groups = group;
	return group;
}

static MemoryReader *
other_member(const MemoryReader *reader)
{
	return reader->shares->members[1 - reader->member];
}

static bool
has_joined(const MemoryReader *reader)
{
	return reader != NULL && reader->joined;
}

/* Each partition to one of those who are in the group. */
static void
deal(MemoryReader *reader)
{
	MemoryGroup *group = reader->shares;

	for (uint32_t i = 0; i < reader->topic->partition_count; i++) {
		uint32_t first = memory_draw(reader, MEMORY_MEMBERS);
		uint32_t second = 1 - first;

		group->dealt[i] = has_joined(group->members[first])    ? (uint8_t)first
				  : has_joined(group->members[second]) ? (uint8_t)second
								       : NOBODY;
	}
}

bool
memory_group_shares(const MemoryReader *reader)
{
	return reader->shares != NULL && reader->shares->shared;
}

void
memory_group_leave(MemoryReader *reader)
{
	MemoryGroup *group = reader->shares;

	if (group == NULL)
		return;
	reader->shares = NULL;
	reader->joined = false;
	group->members[reader->member] = NULL;
	if (group->members[1 - reader->member] != NULL)
		deal(group->members[1 - reader->member]);
}

/* ---------------------------------------------------------------- turns */

static void
give_turn(MemoryBroker *broker, MemoryGroup *group, uint32_t member)
{
	group->running = member;
	pthread_cond_broadcast(&broker->lock->changed);
}

static void
give_turn_away(MemoryReader *reader)
{
	give_turn(reader->broker, reader->shares, 1 - reader->member);
}

static bool
wait_for_turn(MemoryReader *reader)
{
	struct timespec deadline = clock_deadline(TURN_MAX_MS);
	int waited = 0;

	while (reader->shares->running != reader->member && waited == 0)
		waited = pthread_cond_timedwait(&reader->broker->lock->changed,
						&reader->broker->lock->mutex, &deadline);
	return waited == 0;
}

bool
memory_group_wait(MemoryReader *reader)
{
	if (!memory_group_shares(reader))
		return true;
	/* Before its first read ever the turn may come to it before it comes here, or behind. */
	bool begins = !reader->has_run && reader->shares->lives[reader->member] == 1;
	reader->has_run = true;
	if (!begins && reader->shares->running == reader->member && other_member(reader) != NULL &&
	    memory_draw(reader, TURN_IN) == 0)
		give_turn_away(reader);
	return wait_for_turn(reader);
}

/* ---------------------------------------------------------------- partitions */

/* Pauses cannot be committed. */
static uint32_t
skip_pauses(const MemoryTopic *topic, uint32_t index, int64_t position)
{
	const MemoryPartition *partition = &topic->partitions[index];
	uint32_t at = (uint32_t)position;

	while (at < partition->count && topic->records[partition->records[at]].pause_ms != 0)
		at++;
	return at;
}

static uint32_t
committed(const MemoryReader *reader, uint32_t index)
{
	const MemoryCommit *commit = memory_find_commit(reader->topic, reader->group, index);

	return skip_pauses(reader->topic, index, commit != NULL ? commit->position : 0);
}

static bool
all_is_final(const MemoryReader *reader)
{
	for (uint32_t i = 0; i < reader->topic->partition_count; i++)
		if (committed(reader, i) < reader->topic->partitions[i].count)
			return false;
	return true;
}

static bool
holds_any(const MemoryReader *reader)
{
	for (uint32_t i = 0; i < MEMORY_PARTITIONS; i++)
		if (reader->held[i])
			return true;
	return false;
}

/* What was dealt to it, as far as the other one has released it. */
static void
take_dealt(MemoryReader *reader)
{
	const MemoryReader *other = other_member(reader);
	const MemoryGroup *group = reader->shares;

	for (uint32_t i = 0; i < reader->topic->partition_count; i++) {
		const MemoryCommit *commit = memory_find_commit(reader->topic, reader->group, i);

		if (group->dealt[i] != reader->member || reader->held[i] ||
		    (has_joined(other) && other->held[i]))
			continue;
		reader->held[i] = true;
		reader->next[i] = commit != NULL ? (uint32_t)commit->position : 0;
	}
}

static bool
must_release(const MemoryReader *reader)
{
	for (uint32_t i = 0; i < reader->topic->partition_count; i++)
		if (reader->held[i] && reader->shares->dealt[i] != reader->member)
			return true;
	return false;
}

static bool
has_unread(const MemoryReader *reader)
{
	for (uint32_t i = 0; i < reader->topic->partition_count; i++)
		if (reader->held[i] && reader->next[i] < reader->topic->partitions[i].count)
			return true;
	return false;
}

static bool
has_uncommitted(const MemoryReader *reader)
{
	for (uint32_t i = 0; i < reader->topic->partition_count; i++)
		if (reader->held[i] && reader->next[i] > committed(reader, i))
			return true;
	return false;
}

/* It is frozen, the group believes it dead, and the other one has its partitions when it wakes. */
static void
expel(MemoryReader *reader)
{
	reader->broker->expelled++;
	reader->joined = false;
	reader->expelled = true;
	reader->fetched = memory_draw(reader, FETCHED_MAX);
	reader->shares->expelled++;
	deal(other_member(reader));
	give_turn_away(reader);
	wait_for_turn(reader);
}

static ReadResult
poll_expelled(MemoryReader *reader)
{
	if (reader->fetched > 0 && has_unread(reader)) {
		reader->fetched--;
		return READ_DATA;
	}
	if (holds_any(reader))
		return READ_REVOKED;
	reader->expelled = false;
	return READ_IDLE;
}

ReadResult
memory_group_poll(MemoryReader *reader)
{
	MemoryGroup *group = reader->shares;

	if (reader->expelled)
		return poll_expelled(reader);
	if (!reader->joined) {
		reader->joined = true;
		deal(reader);
	} else if (memory_draw(reader, DEAL_IN) == 0) {
		deal(reader);
	} else if (has_joined(other_member(reader)) && group->expelled < EXPELLED_MAX &&
		   memory_draw(reader, EXPEL_IN) == 0) {
		expel(reader);
		return poll_expelled(reader);
	}
	if (must_release(reader))
		return READ_REVOKED;
	take_dealt(reader);
	if (has_unread(reader) || !reader->topic->closed)
		return READ_DATA;
	if (all_is_final(reader)) {
		if (other_member(reader) != NULL)
			give_turn_away(reader);
		memory_group_leave(reader);
		return READ_END;
	}
	return has_uncommitted(reader) ? READ_REVOKED : READ_IDLE;
}

void
memory_group_release(MemoryReader *reader)
{
	memset(reader->held, 0, sizeof reader->held);
	reader->expelled = false;
}

/* ---------------------------------------------------------------- coming and going */

void
memory_group_open(MemoryReader *reader)
{
	MemoryGroup *group = find_group(reader);

	if (group->members[0] != NULL && group->members[1] != NULL)
		return;
	/* When all is final nobody needs it, and the other one may be at its end at any time. */
	if (all_is_final(reader)) {
		if (group->members[group->running] == NULL)
			give_turn(reader->broker, group, 1 - group->running);
		return;
	}
	reader->member = group->members[0] == NULL ? 0 : 1;
	reader->shares = group;
	group->members[reader->member] = reader;
	if (other_member(reader) == NULL)
		group->running = reader->member;
	reader->life = (uint64_t)reader->member << 16 | ++group->lives[reader->member];
	group->shared = group->shared || (group->members[0] != NULL && group->members[1] != NULL);
}

/* ---------------------------------------------------------------- partitions with their state */

Status
memory_join(const ReaderSpec *sources, uint32_t count, Arena *arena, Membership **out, Error *err)
{
	Membership *member = ARENA_NEW(arena, Membership);
	MemoryBroker *broker = sources[0].environment;

	if (broker == NULL)
		return memory_no_broker(sources[0].object, err);
	memory_lock(broker);
	for (uint32_t i = 0; i < count; i++) {
		Str name = memory_topic_name(&sources[i].settings[SOURCE_TOPIC], sources[i].object);
		uint32_t splits = memory_topic_get(broker, name)->partition_count;

		member->splits = member->splits > splits ? member->splits : splits;
	}
	memory_unlock(broker);
	member->class = &memory_connector;
	*out = member;
	return FERRIS_OK;
}

Status
memory_member_poll(Membership *member, int timeout_ms, bool *held, Error *err)
{
	(void)timeout_ms;
	(void)err;
	memset(held, true, sizeof *held * member->splits);
	return FERRIS_OK;
}

void
memory_member_leave(Membership *member)
{
	(void)member; /* it owns nothing */
}
