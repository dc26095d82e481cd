/* A real Kafka cluster of a test's own, ended with the test however that ends. */
#include "tests/support/broker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/check.h"

enum { COMMAND_MAX = 4096 };

static char folder[256];
static char bootstrap[256];

static void fail(const char *what)
{
    fprintf(stderr, "broker: %s\n", what);
    exit(1);
}

static void run(const char *command)
{
    int status = system(command);
    if (status == -1 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fail(command);
    }
}

static void run_script(const char *verb, int node)
{
    char command[COMMAND_MAX];
    snprintf(command, sizeof(command), "%s/support/kafka.sh %s %s %d", TESTS_FOLDER, verb, folder,
             node);
    run(command);
}

static void read_bootstrap(const char *command)
{
    FILE *output = popen(command, "r");
    if (output == NULL) {
        fail("no shell");
    }
    char line[256] = "";
    static const char NAME[] = "KAFKA_BOOTSTRAP=";
    while (fgets(line, sizeof(line), output) != NULL) {
        if (strncmp(line, NAME, strlen(NAME)) == 0) {
            snprintf(bootstrap, sizeof(bootstrap), "%s", line + strlen(NAME));
            bootstrap[strcspn(bootstrap, "\n")] = '\0';
        }
    }
    if (pclose(output) != 0 || bootstrap[0] == '\0') {
        fail("no Kafka broker can be started");
    }
}

const char *broker_start(int nodes, const char *properties)
{
    CHECK(folder[0] == '\0');
    const char *temporary = getenv("TMPDIR");
    snprintf(folder, sizeof(folder), "%s/tidemark-broker-XXXXXX",
             temporary == NULL ? "/tmp" : temporary);
    if (mkdtemp(folder) == NULL) {
        fail("no temporary folder");
    }
    atexit(broker_stop);
    char owner[32];
    snprintf(owner, sizeof(owner), "%ld", (long)getpid());
    setenv("KAFKA_OWNER", owner, 1);
    setenv("KAFKA_PROPS", properties == NULL ? "" : properties, 1);
    char command[COMMAND_MAX];
    snprintf(command, sizeof(command), "%s/support/kafka.sh start %s %d", TESTS_FOLDER, folder,
             nodes);
    read_bootstrap(command);
    return bootstrap;
}

void broker_stop(void)
{
    if (folder[0] == '\0') {
        return;
    }
    char command[COMMAND_MAX];
    /* by force: what a test leaves is of no worth, and a polite stop takes seconds */
    snprintf(command, sizeof(command),
             "%1$s/support/kafka.sh kill %2$s; %1$s/support/kafka.sh stop %2$s; rm -rf %2$s",
             TESTS_FOLDER, folder);
    folder[0] = '\0';
    if (system(command) != 0) {
        fprintf(stderr, "broker: cannot be stopped\n");
    }
}

void broker_pause(int node)
{
    run_script("pause", node);
}

void broker_resume(int node)
{
    run_script("resume", node);
}

void broker_blink(int node, int after_ms, int for_ms)
{
    char command[COMMAND_MAX];
    snprintf(command, sizeof(command),
             "(sleep %d.%03d; %s/support/kafka.sh pause %s %d; sleep %d.%03d; "
             "%s/support/kafka.sh resume %s %d) >/dev/null 2>&1 &",
             after_ms / 1000, after_ms % 1000, TESTS_FOLDER, folder, node, for_ms / 1000,
             for_ms % 1000, TESTS_FOLDER, folder, node);
    run(command);
}

void broker_kill(int node)
{
    run_script("kill", node);
}

void broker_restart(int node)
{
    run_script("restart", node);
}
