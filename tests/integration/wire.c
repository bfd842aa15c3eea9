/* tests/integration/wire.c -- a library that is loaded before libc's and librdkafka: it writes down
 * what a Kafka client asks of its brokers, of its sockets and of librdkafka.
 *
 *     LD_PRELOAD=.../libwire.so FERRIS_WIRE_LOG=/tmp/x   a JSON object a line, see below
 *                               FERRIS_WIRE_DROP=1:1     the first request of the API with number
 * 1, Fetch, looks sent and is not
 *                               FERRIS_WIRE_BREAK=0:3    so do the first three of API 0, Produce,
 * and behind each of them the connection breaks
 *
 *     {"api":"Fetch","version":11,"connection":3,"id":7,"client":"ferris-sql","min_bytes":1,...}
 *     {"answer":7,"connection":3}       the head of the answer to a request was read
 *     {"socket":"SO_RCVBUF","value":65536}
 *     {"poll":500,"got":12}             rd_kafka_consume_batch_queue, unless it got nothing again
 *     {"conf":"producer","properties":{"linger.ms":"5",...}}   of a client that was made
 *     {"odd":"..."}                     something that is not understood; nothing is guessed
 *
 * Why so: an option that is parsed, explained and passed on may still have no effect.  Only what
 * leaves the process shows that it has.
 *
 * Requests are read as they leave on sockets that are connected to an internet address, whole, from
 * however many calls; TLS is odd.  librdkafka writes with sendmsg() and reads with recvmsg();
 * send() and recv() are here for other versions of it.
 *
 * Threads: every client and broker has some; one mutex guards it all. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define EXPORT      __attribute__((visibility("default")))
#define LINE_SIZE   65536
#define REQUEST_MAX (64u << 20)
#define FD_MAX      4096
#define ANSWER_HEAD 8 /* size and id */

typedef enum Api {
	API_PRODUCE = 0,
	API_FETCH = 1,
	API_LIST_OFFSETS = 2,
	API_METADATA = 3,
	API_OFFSET_COMMIT = 8,
	API_FIND_COORDINATOR = 10,
	API_JOIN_GROUP = 11,
	API_HEARTBEAT = 12,
	API_INIT_PRODUCER_ID = 22,
	API_KEY_MAX = 100, /* there are none above it today */
} Api;

/* What goes out and comes in on one descriptor since it was connected. */
typedef struct Connection {
	unsigned number; /* 0: it is not watched */
	bool odd;        /* it does not speak Kafka's protocol, or not in clear */
	uint8_t *request;
	size_t request_len;
	size_t request_size;
	uint8_t head[ANSWER_HEAD];
	size_t head_len;
	size_t answer_left;
} Connection;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static Connection connections[FD_MAX];
static unsigned connection_count;
static int log_fd = -1;

/* ---------------------------------------------------------------- a line of the log */

typedef struct Line {
	char text[LINE_SIZE];
	size_t len;
} Line;

/* What does not fit is left out, and the line is no JSON then: the test will see. */
__attribute__((format(printf, 2, 3))) static void
put(Line *line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int len = vsnprintf(line->text + line->len, LINE_SIZE - line->len, format, args);
	va_end(args);
	if (len > 0 && line->len + (size_t)len < LINE_SIZE)
		line->len += (size_t)len;
}

static void
put_text(Line *line, const char *text, size_t len)
{
	put(line, "\"");
	for (size_t i = 0; i < len; i++) {
		bool plain = text[i] >= ' ' && text[i] <= '~' && text[i] != '"' && text[i] != '\\';
		put(line, "%c", plain ? text[i] : '?');
	}
	put(line, "\"");
}

static void
end_line(Line *line)
{
	put(line, "\n");
	if (log_fd >= 0 && write(log_fd, line->text, line->len) != (ssize_t)line->len)
		abort(); /* the test would miss what happened */
}

__attribute__((format(printf, 1, 2))) static void
odd(const char *format, ...)
{
	Line line = {.len = 0};
	char what[256];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	put(&line, "{\"odd\":");
	put_text(&line, what, strlen(what));
	put(&line, "}");
	end_line(&line);
}

__attribute__((constructor)) static void
open_log(void)
{
	const char *path = getenv("FERRIS_WIRE_LOG");

	if (path == NULL)
		return;
	log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (log_fd < 0) {
		perror(path);
		abort();
	}
}

/* ---------------------------------------------------------------- reading a request */

/* `bad` once something was asked for that is not there; zeros are read from then on. */
typedef struct Cursor {
	const uint8_t *at;
	const uint8_t *end;
	bool flexible; /* lengths are varints, and tagged fields follow */
	bool bad;
} Cursor;

static const uint8_t *
take_bytes(Cursor *cursor, size_t len)
{
	const uint8_t *at = cursor->at;

	if (cursor->bad || (size_t)(cursor->end - at) < len) {
		cursor->bad = true;
		return NULL;
	}
	cursor->at += len;
	return at;
}

/* Big-endian, as all of the protocol. */
static uint64_t
take_unsigned(Cursor *cursor, size_t len)
{
	const uint8_t *bytes = take_bytes(cursor, len);
	uint64_t value = 0;

	for (size_t i = 0; i < len && bytes != NULL; i++)
		value = value << 8 | bytes[i];
	return value;
}

static int
take_8(Cursor *cursor)
{
	return (int8_t)take_unsigned(cursor, 1);
}

static int
take_16(Cursor *cursor)
{
	return (int16_t)take_unsigned(cursor, 2);
}

static int32_t
take_32(Cursor *cursor)
{
	return (int32_t)take_unsigned(cursor, 4);
}

static int64_t
take_64(Cursor *cursor)
{
	return (int64_t)take_unsigned(cursor, 8);
}

static uint32_t
take_varint(Cursor *cursor)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 35; shift += 7) {
		uint64_t byte = take_unsigned(cursor, 1);

		value |= (byte & 0x7f) << shift;
		if (byte < 0x80)
			return (uint32_t)value;
	}
	cursor->bad = true;
	return 0;
}

/* The length of a string, of bytes or of an array: `width` bytes wide where it is no varint.  None
 * for null. */
static size_t
take_length(Cursor *cursor, size_t width)
{
	if (cursor->flexible) {
		uint32_t value = take_varint(cursor);
		return value > 0 ? value - 1 : 0;
	}
	int64_t value = width == 2 ? take_16(cursor) : take_32(cursor);
	if (value < -1)
		cursor->bad = true;
	return value > 0 ? (size_t)value : 0;
}

static void
put_string(Line *line, const char *name, Cursor *cursor)
{
	size_t len = take_length(cursor, 2);
	const uint8_t *bytes = take_bytes(cursor, len);

	put(line, ",\"%s\":", name);
	put_text(line, (const char *)bytes, bytes != NULL ? len : 0);
}

static void
skip_string(Cursor *cursor)
{
	take_bytes(cursor, take_length(cursor, 2));
}

static void
skip_tags(Cursor *cursor)
{
	uint32_t count = cursor->flexible ? take_varint(cursor) : 0;

	for (uint32_t i = 0; i < count && !cursor->bad; i++) {
		take_varint(cursor); /* which tag */
		take_bytes(cursor, take_varint(cursor));
	}
}

/* From some version on topics have numbers of 16 bytes instead of names. */
static void
skip_topic(Cursor *cursor, bool numbered)
{
	if (numbered)
		take_bytes(cursor, 16);
	else
		skip_string(cursor);
}

/* ---------------------------------------------------------------- bodies */

/* The batches of one partition; those of format 2, which all brokers of today want. */
static void
put_batches(Line *line, const uint8_t *bytes, size_t len, bool *first)
{
	Cursor cursor = {.at = bytes, .end = bytes + len};

	while (cursor.at < cursor.end) {
		take_64(&cursor); /* offset */
		int32_t size = take_32(&cursor);
		Cursor batch = {.at = cursor.at};

		if (size < 0 || take_bytes(&cursor, (size_t)size) == NULL) {
			odd("a batch of %d bytes", size);
			return;
		}
		batch.end = cursor.at;
		take_32(&batch); /* epoch */
		int format = take_8(&batch);
		take_32(&batch); /* checksum */
		int attributes = take_16(&batch);
		take_bytes(&batch, 4 + 8 + 8 + 8 + 2 + 4); /* offsets, times, producer */
		int32_t records = take_32(&batch);
		if (batch.bad || format != 2) {
			odd("a batch of format %d", format);
			return;
		}
		put(line, "%s{\"codec\":%d,\"records\":%d,\"bytes\":%d}", *first ? "" : ",",
		    attributes & 7, records, size + 12);
		*first = false;
	}
}

static void
put_produce(Line *line, Cursor *cursor, int version)
{
	bool first = true;

	put_string(line, "transaction", cursor);
	put(line, ",\"acks\":%d", take_16(cursor));
	put(line, ",\"timeout\":%d,\"batches\":[", take_32(cursor));
	size_t topics = take_length(cursor, 4);
	for (size_t i = 0; i < topics && !cursor->bad; i++) {
		skip_topic(cursor, version >= 13);
		size_t partitions = take_length(cursor, 4);
		for (size_t k = 0; k < partitions && !cursor->bad; k++) {
			take_32(cursor); /* partition */
			size_t len = take_length(cursor, 4);
			const uint8_t *bytes = take_bytes(cursor, len);
			if (bytes != NULL)
				put_batches(line, bytes, len, &first);
			skip_tags(cursor);
		}
		skip_tags(cursor);
	}
	put(line, "]");
}

static void
put_fetch(Line *line, Cursor *cursor, int version)
{
	bool first = true;

	if (version < 15)
		take_32(cursor); /* replica */
	put(line, ",\"max_wait\":%d", take_32(cursor));
	put(line, ",\"min_bytes\":%d", take_32(cursor));
	put(line, ",\"max_bytes\":%d", take_32(cursor));
	put(line, ",\"isolation\":%d,\"partitions\":[", take_8(cursor));
	if (version >= 7)
		take_64(cursor); /* session */
	size_t topics = take_length(cursor, 4);
	for (size_t i = 0; i < topics && !cursor->bad; i++) {
		skip_topic(cursor, version >= 13);
		size_t partitions = take_length(cursor, 4);
		for (size_t k = 0; k < partitions && !cursor->bad; k++) {
			put(line, "%s{\"partition\":%d", first ? "" : ",", take_32(cursor));
			if (version >= 9)
				take_32(cursor); /* epoch of the leader */
			put(line, ",\"offset\":%" PRId64, take_64(cursor));
			if (version >= 12)
				take_32(cursor); /* epoch of the last record */
			if (version >= 5)
				take_64(cursor); /* start of the log */
			put(line, ",\"max_bytes\":%d}", take_32(cursor));
			skip_tags(cursor);
			first = false;
		}
		skip_tags(cursor);
	}
	put(line, "]");
}

static void
put_list_offsets(Line *line, Cursor *cursor, int version)
{
	bool first = true;

	take_32(cursor); /* replica */
	if (version >= 2)
		put(line, ",\"isolation\":%d", take_8(cursor));
	put(line, ",\"timestamps\":[");
	size_t topics = take_length(cursor, 4);
	for (size_t i = 0; i < topics && !cursor->bad; i++) {
		skip_string(cursor);
		size_t partitions = take_length(cursor, 4);
		for (size_t k = 0; k < partitions && !cursor->bad; k++) {
			take_32(cursor); /* partition */
			if (version >= 4)
				take_32(cursor); /* epoch of the leader */
			put(line, "%s%" PRId64, first ? "" : ",", take_64(cursor));
			skip_tags(cursor);
			first = false;
		}
		skip_tags(cursor);
	}
	put(line, "]");
}

static void
put_join_group(Line *line, Cursor *cursor, int version)
{
	(void)version;
	put_string(line, "group", cursor);
	put(line, ",\"session_timeout\":%d", take_32(cursor));
	put(line, ",\"rebalance_timeout\":%d", take_32(cursor));
}

static void
put_group(Line *line, Cursor *cursor, int version)
{
	(void)version;
	put_string(line, "group", cursor);
}

static void
put_init_producer(Line *line, Cursor *cursor, int version)
{
	(void)version;
	put_string(line, "transaction", cursor);
	put(line, ",\"timeout\":%d", take_32(cursor));
}

/* Which versions are read, and from which on lengths are varints.  An API without `put` is only
 * named. */
static const struct {
	Api api;
	const char *name;
	int from;
	int to;
	int flexible;
	void (*put)(Line *line, Cursor *cursor, int version);
} shapes[] = {
	{API_PRODUCE, "Produce", 3, 13, 9, put_produce},
	{API_FETCH, "Fetch", 4, 17, 12, put_fetch},
	{API_LIST_OFFSETS, "ListOffsets", 1, 8, 6, put_list_offsets},
	{API_METADATA, "Metadata", 0, 0, 0, NULL},
	{API_OFFSET_COMMIT, "OffsetCommit", 1, 9, 8, put_group},
	{API_FIND_COORDINATOR, "FindCoordinator", 0, 0, 0, NULL},
	{API_JOIN_GROUP, "JoinGroup", 1, 9, 6, put_join_group},
	{API_HEARTBEAT, "Heartbeat", 0, 4, 4, put_group},
	{API_INIT_PRODUCER_ID, "InitProducerId", 0, 5, 2, put_init_producer},
};

static void
put_body(Line *line, Cursor *cursor, int api, int version)
{
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		if ((int)shapes[i].api != api || shapes[i].put == NULL)
			continue;
		if (version < shapes[i].from || version > shapes[i].to) {
			odd("%s of version %d", shapes[i].name, version);
			return;
		}
		cursor->flexible = version >= shapes[i].flexible;
		skip_tags(cursor); /* of the head */
		shapes[i].put(line, cursor, version);
	}
}

static const char *
api_name(int api)
{
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
		if ((int)shapes[i].api == api)
			return shapes[i].name;
	return NULL;
}

/* A whole request, behind its size. */
static void
log_request(Connection *connection, const uint8_t *bytes, size_t len, const char *fate)
{
	Cursor cursor = {.at = bytes, .end = bytes + len};
	Line line = {.len = 0};
	int api = take_16(&cursor);
	int version = take_16(&cursor);
	int32_t id = take_32(&cursor);
	const char *name = api_name(api);

	if (cursor.bad || api < 0 || api > API_KEY_MAX || version < 0 || version > API_KEY_MAX) {
		odd("a request of API %d and version %d", api, version);
		connection->odd = true;
		return;
	}
	put(&line, "{\"api\":");
	if (name != NULL)
		put_text(&line, name, strlen(name));
	else
		put(&line, "%d", api);
	put(&line, ",\"version\":%d,\"connection\":%u,\"id\":%d", version, connection->number, id);
	put_string(&line, "client", &cursor);
	if (fate != NULL)
		put(&line, ",\"%s\":true", fate);
	put_body(&line, &cursor, api, version);
	put(&line, "}");
	if (cursor.bad) {
		odd("%s of version %d ends too early", name != NULL ? name : "a request", version);
		return;
	}
	end_line(&line);
}

/* ---------------------------------------------------------------- both directions */

static Connection *
connection_of(int fd)
{
	bool watched = fd >= 0 && fd < FD_MAX && connections[fd].number > 0 && !connections[fd].odd;

	return watched ? &connections[fd] : NULL;
}

static void
forget_request(Connection *connection)
{
	free(connection->request);
	connection->request = NULL;
	connection->request_len = connection->request_size = 0;
}

static uint32_t
size_of_request(const uint8_t *bytes)
{
	Cursor cursor = {.at = bytes, .end = bytes + 4};

	return (uint32_t)take_unsigned(&cursor, 4);
}

static void
sent(Connection *connection, const uint8_t *bytes, size_t len, const char *fate)
{
	if (connection->request_len + len > connection->request_size) {
		connection->request_size = 2 * (connection->request_len + len);
		connection->request = realloc(connection->request, connection->request_size);
		if (connection->request == NULL)
			abort();
	}
	memcpy(connection->request + connection->request_len, bytes, len);
	connection->request_len += len;

	size_t at = 0;
	while (!connection->odd && connection->request_len - at >= 4) {
		const uint8_t *request = connection->request + at;
		uint32_t size = size_of_request(request);

		if (size > REQUEST_MAX) {
			odd("a request of %u bytes", size);
			connection->odd = true;
		}
		if (connection->odd || connection->request_len - at - 4 < size)
			break;
		log_request(connection, request + 4, size, fate);
		at += 4 + size;
	}
	connection->request_len -= at;
	memmove(connection->request, connection->request + at, connection->request_len);
}

static void
sent_parts(Connection *connection, const struct iovec *parts, size_t count, size_t len,
	   const char *fate)
{
	for (size_t i = 0; i < count && len > 0 && !connection->odd; i++) {
		size_t part = parts[i].iov_len < len ? parts[i].iov_len : len;

		sent(connection, parts[i].iov_base, part, fate);
		len -= part;
	}
}

static void
received(Connection *connection, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		size_t part = len < connection->answer_left ? len : connection->answer_left;

		if (part > 0) {
			connection->answer_left -= part;
			bytes += part;
			len -= part;
			continue;
		}
		connection->head[connection->head_len++] = *bytes++;
		len--;
		if (connection->head_len < ANSWER_HEAD)
			continue;
		Cursor cursor = {.at = connection->head, .end = connection->head + ANSWER_HEAD};
		Line line = {.len = 0};
		uint32_t size = (uint32_t)take_unsigned(&cursor, 4);

		connection->head_len = 0;
		connection->answer_left = size > 4 ? size - 4 : 0;
		put(&line, "{\"answer\":%d,\"connection\":%u}", take_32(&cursor),
		    connection->number);
		end_line(&line);
	}
}

static void
received_parts(Connection *connection, const struct iovec *parts, size_t count, size_t len)
{
	for (size_t i = 0; i < count && len > 0; i++) {
		size_t part = parts[i].iov_len < len ? parts[i].iov_len : len;

		received(connection, parts[i].iov_base, part);
		len -= part;
	}
}

/* ---------------------------------------------------------------- harm on purpose */

typedef struct Harm {
	const char *variable; /* "API:COUNT" */
	bool known;
	long api;
	long left;
} Harm;

static Harm breaks = {.variable = "FERRIS_WIRE_BREAK"};
static Harm drops = {.variable = "FERRIS_WIRE_DROP"};

/* Whether a request begins here that is to be harmed. */
static bool
is_due(Harm *harm, const Connection *connection, const struct iovec *parts, size_t count)
{
	uint8_t head[6];
	size_t len = 0;

	if (!harm->known) {
		const char *spec = getenv(harm->variable);
		const char *colon = spec != NULL ? strchr(spec, ':') : NULL;

		harm->known = true;
		harm->api = spec != NULL ? strtol(spec, NULL, 10) : 0;
		harm->left = colon != NULL ? strtol(colon + 1, NULL, 10) : 0;
	}
	if (harm->left == 0 || connection->request_len > 0)
		return false;
	for (size_t i = 0; i < count && len < sizeof head; i++) {
		size_t room = sizeof head - len;
		size_t part = parts[i].iov_len < room ? parts[i].iov_len : room;

		memcpy(head + len, parts[i].iov_base, part);
		len += part;
	}
	Cursor cursor = {.at = head + 4, .end = head + len};
	if (len < sizeof head || take_16(&cursor) != harm->api)
		return false;
	harm->left--;
	return true;
}

/* ---------------------------------------------------------------- libc's calls */

static void *
next(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);

	if (found == NULL)
		abort();
	return found;
}

EXPORT int
connect(int fd, const struct sockaddr *address, socklen_t len)
{
	int (*real)(int, const struct sockaddr *, socklen_t) =
		(int (*)(int, const struct sockaddr *, socklen_t))next("connect");

	if (fd >= 0 && fd < FD_MAX) {
		bool watched = address->sa_family == AF_INET || address->sa_family == AF_INET6;

		pthread_mutex_lock(&mutex);
		forget_request(&connections[fd]);
		connections[fd] = (Connection){.number = watched ? ++connection_count : 0};
		pthread_mutex_unlock(&mutex);
	}
	return real(fd, address, len);
}

EXPORT int
close(int fd)
{
	int (*real)(int) = (int (*)(int))next("close");

	if (fd >= 0 && fd < FD_MAX) {
		pthread_mutex_lock(&mutex);
		forget_request(&connections[fd]);
		connections[fd] = (Connection){.number = 0};
		pthread_mutex_unlock(&mutex);
	}
	return real(fd);
}

/* The one way out: what is sent of a message, and what comes of it. */
static ssize_t
send_message(int fd, const struct msghdr *message, int flags)
{
	ssize_t (*real)(int, const struct msghdr *, int) =
		(ssize_t(*)(int, const struct msghdr *, int))next("sendmsg");
	const struct iovec *parts = message->msg_iov;
	size_t count = message->msg_iovlen, len = 0;
	ssize_t done;

	pthread_mutex_lock(&mutex);
	Connection *connection = connection_of(fd);
	bool drop = connection != NULL && is_due(&drops, connection, parts, count);
	bool harm = connection != NULL && is_due(&breaks, connection, parts, count);
	for (size_t i = 0; i < count; i++)
		len += parts[i].iov_len;
	/* An answer could be there before the connection is gone: a request that breaks it must not
	 * arrive either. */
	done = drop || harm ? (ssize_t)len : real(fd, message, flags);
	int error = errno;
	if (connection != NULL && done > 0)
		sent_parts(connection, parts, count, (size_t)done,
			   drop   ? "dropped"
			   : harm ? "broken"
				  : NULL);
	if (harm)
		shutdown(fd, SHUT_RDWR);
	pthread_mutex_unlock(&mutex);
	errno = error;
	return done;
}

EXPORT ssize_t
sendmsg(int fd, const struct msghdr *message, int flags)
{
	return send_message(fd, message, flags);
}

EXPORT ssize_t
send(int fd, const void *bytes, size_t len, int flags)
{
	struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = len};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	return send_message(fd, &message, flags);
}

static void
note_received(int fd, const struct iovec *parts, size_t count, ssize_t len, int flags)
{
	int error = errno;

	if (len <= 0 || (flags & MSG_PEEK) != 0)
		return;
	pthread_mutex_lock(&mutex);
	Connection *connection = connection_of(fd);
	if (connection != NULL)
		received_parts(connection, parts, count, (size_t)len);
	pthread_mutex_unlock(&mutex);
	errno = error;
}

EXPORT ssize_t
recvmsg(int fd, struct msghdr *message, int flags)
{
	ssize_t (*real)(int, struct msghdr *, int) =
		(ssize_t(*)(int, struct msghdr *, int))next("recvmsg");
	ssize_t len = real(fd, message, flags);

	note_received(fd, message->msg_iov, message->msg_iovlen, len, flags);
	return len;
}

EXPORT ssize_t
recv(int fd, void *bytes, size_t size, int flags)
{
	ssize_t (*real)(int, void *, size_t, int) =
		(ssize_t(*)(int, void *, size_t, int))next("recv");
	ssize_t len = real(fd, bytes, size, flags);
	struct iovec part = {.iov_base = bytes, .iov_len = size};

	note_received(fd, &part, 1, len, flags);
	return len;
}

EXPORT int
setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
	int (*real)(int, int, int, const void *, socklen_t) =
		(int (*)(int, int, int, const void *, socklen_t))next("setsockopt");

	if (level == SOL_SOCKET && (option == SO_RCVBUF || option == SO_SNDBUF) &&
	    len == sizeof(int)) {
		Line line = {.len = 0};
		int number;

		memcpy(&number, value, sizeof number);
		put(&line, "{\"socket\":\"%s\",\"value\":%d}",
		    option == SO_RCVBUF ? "SO_RCVBUF" : "SO_SNDBUF", number);
		end_line(&line);
	}
	return real(fd, level, option, value, len);
}

/* ---------------------------------------------------------------- librdkafka's calls */

EXPORT ssize_t
rd_kafka_consume_batch_queue(rd_kafka_queue_t *queue, int timeout_ms, rd_kafka_message_t **messages,
			     size_t size)
{
	ssize_t (*real)(rd_kafka_queue_t *, int, rd_kafka_message_t **, size_t) =
		(ssize_t(*)(rd_kafka_queue_t *, int, rd_kafka_message_t **, size_t))next(
			"rd_kafka_consume_batch_queue");
	static _Atomic size_t largest;
	ssize_t got = real(queue, timeout_ms, messages, size);

	if (got > 0 || size > largest) {
		Line line = {.len = 0};

		largest = size > largest ? size : largest;
		put(&line, "{\"poll\":%zu,\"got\":%zd}", size, got);
		end_line(&line);
	}
	return got;
}

static void
put_properties(Line *line, const char **pairs, size_t count, bool *first)
{
	for (size_t i = 0; i + 1 < count; i += 2) {
		put(line, *first ? "" : ",");
		put_text(line, pairs[i], strlen(pairs[i]));
		put(line, ":");
		put_text(line, pairs[i + 1], strlen(pairs[i + 1]));
		*first = false;
	}
}

/* As the client has them, once librdkafka has made them fit each other. */
EXPORT rd_kafka_t *
rd_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, char *text, size_t size)
{
	rd_kafka_t *(*real)(rd_kafka_type_t, rd_kafka_conf_t *, char *, size_t) =
		(rd_kafka_t * (*)(rd_kafka_type_t, rd_kafka_conf_t *, char *, size_t))
			next("rd_kafka_new");
	rd_kafka_t *client = real(type, conf, text, size);
	Line line = {.len = 0};
	bool first = true;
	size_t count;

	if (client == NULL)
		return NULL;
	put(&line, "{\"conf\":\"%s\",\"properties\":{",
	    type == RD_KAFKA_PRODUCER ? "producer" : "consumer");
	const char **pairs =
		rd_kafka_conf_dump((rd_kafka_conf_t *)(uintptr_t)rd_kafka_conf(client), &count);
	put_properties(&line, pairs, count, &first);
	rd_kafka_conf_dump_free(pairs, count);
	rd_kafka_topic_conf_t *topic = rd_kafka_default_topic_conf_dup(client);
	pairs = rd_kafka_topic_conf_dump(topic, &count);
	put_properties(&line, pairs, count, &first);
	rd_kafka_conf_dump_free(pairs, count);
	rd_kafka_topic_conf_destroy(topic);
	put(&line, "}}");
	end_line(&line);
	return client;
}
