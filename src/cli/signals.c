/* cli/signals.c -- SIGINT and SIGTERM as a flag that the running command asks for. */
#include <signal.h>
#include <unistd.h>

#include "cli/command.h"

static volatile sig_atomic_t caught;

static void
on_signal(int number)
{
	if (caught != 0)
		_exit(128 + number);
	caught = number;
}

void
catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	/* A closed pipe is an error of the write, not the end of the process. */
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
}

int
caught_signal(void)
{
	return caught;
}

bool
is_interrupted(void *context)
{
	(void)context;
	return caught != 0;
}
