/* cli/command_list.h -- the commands, one row each; --help and completion come from here.
 *
 * COMMAND(name, function, arguments, doc) */
#ifndef COMMAND
#error "define COMMAND(name, function, arguments, doc) before including cli/command_list.h"
#endif

COMMAND("execute", command_execute,
        "(--query SQL | --file APP.sql) [--output table|json|csv] [--limit N] [--set key=value]... "
        "[--savepoint NAME] [--from-savepoint NAME [--drop-state]]",
        "Run every statement; a plain SELECT prints its rows.  --savepoint makes one at the end.")
COMMAND("server", command_server,
        "(--query SQL | --file APP.sql) [--enable-metrics] [--metrics-port 9080] "
        "[--set key=value]...",
        "Run an application until a signal comes; with metrics, health, report and jobs on a port.")
COMMAND("check", command_check, "FILE.sql... [--live] [--set key=value]...",
        "Parse, bind and plan; print every error; --live also samples topics.")
COMMAND("explain", command_explain,
        "(--query SQL | --file FILE.sql | upgrade OLD.sql NEW.sql) [--output text|json] "
        "[--set key=value]...",
        "Print the plan and the options in effect, or what state an upgrade keeps; no broker is "
        "asked.")
COMMAND("advise", command_advise,
        "(--query SQL | --file APP.sql) [--seconds N] [--output text|json] [--set key=value]...",
        "Run the last statement for N seconds (5), writing nothing, and say which batch strategy "
        "fits, if any.")
COMMAND("savepoint", command_savepoint, "NAME --file APP.sql [--set key=value]...",
        "Copy the state of statements that are stopped, to start from it again.")
COMMAND("test", command_test,
        "FILE.test... | FOLDER... [--output tap|junit] [--seed N] [--seeds N] [--keep FOLDER]",
        "Run SQL tests; --keep leaves what each run wrote into ${DIR}.")
COMMAND("demo", command_demo, "[--seconds N]",
        "The main job on embedded data: trades, Kafka, SQL, Kafka, console.")
COMMAND("docs", command_docs, "configuration|functions|errors|metrics",
        "Print a reference page as Markdown.")
COMMAND("completion", command_completion, "bash",
        "Print what the shell needs to complete commands, flags and options.")

#undef COMMAND
