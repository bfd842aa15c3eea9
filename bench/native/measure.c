/* bench/native/measure.c -- runs one program and tells what it cost.
 *
 *     measure RESULT PROGRAM [ARGUMENT...]
 *     measure -1 RESULT PROGRAM [ARGUMENT...]    also the time of the first byte on its stdout
 *
 * Writes one JSON object to the file RESULT and ends with the program's exit code.  It is a program
 * of its own because a child's peak memory counts what its parent held when it forked. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pid_t child;

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double
seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* Whoever stops us means the program that we measure. */
static void
pass_on(int sig)
{
	if (child > 0)
		kill(child, sig);
}

/* Copies the pipe to our stdout; returns when its first byte came, or -1. */
static double
copy_output(int in)
{
	static char buffer[65536];
	double first = -1;
	ssize_t got;

	while ((got = read(in, buffer, sizeof buffer)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		if (first < 0)
			first = now();
		if (write(STDOUT_FILENO, buffer, (size_t)got) != got)
			break;
	}
	close(in);
	return first;
}

static void
report(const char *path, double began, double first, int status, const struct rusage *usage)
{
	FILE *file = fopen(path, "w");
	double wall = now() - began;

	if (file == NULL) {
		perror(path);
		return;
	}
	fprintf(file, "{\"wall\":%.6f,\"user\":%.6f,\"system\":%.6f,\"rss_kb\":%ld,\"status\":%d",
		wall, seconds(usage->ru_utime), seconds(usage->ru_stime), usage->ru_maxrss, status);
	if (first >= 0)
		fprintf(file, ",\"first\":%.6f", first - began);
	fputs("}\n", file);
	fclose(file);
}

int
main(int argc, char **argv)
{
	bool first_byte = argc > 1 && strcmp(argv[1], "-1") == 0;
	int ends[2], status = 0;
	double first = -1;
	struct rusage usage;

	argv += first_byte ? 2 : 1;
	if (argc < (first_byte ? 4 : 3)) {
		fputs("usage: measure [-1] RESULT PROGRAM [ARGUMENT...]\n", stderr);
		return 2;
	}
	if (first_byte && pipe2(ends, O_CLOEXEC) != 0) {
		perror("pipe");
		return 3;
	}
	double began = now();
	child = fork();
	if (child == 0) {
		if (first_byte)
			dup2(ends[1], STDOUT_FILENO);
		execvp(argv[1], argv + 1);
		perror(argv[1]);
		_exit(127);
	}
	signal(SIGINT, pass_on);
	signal(SIGTERM, pass_on);
	if (first_byte) {
		close(ends[1]);
		first = copy_output(ends[0]);
	}
	while (wait4(child, &status, 0, &usage) < 0 && errno == EINTR)
		;
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	report(argv[0], began, first, code, &usage);
	return code;
}
