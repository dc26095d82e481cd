/* Is a dead letter that could not be stored stored later, or is at least nobody told that it is? */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/os/file.h"
#include "consumer/intake/dead_letter.h"
#include "core/base/buf.h"
#include "core/base/json.h"

static struct dead_letters *open_letters(const struct dead_letter_settings *settings,
                                         const struct cluster_settings *cluster)
{
    struct dead_letters *letters = NULL;
    struct err err;
    cr_assert(dead_letters_new(settings, cluster, &letters, &err), "%s", err.message);
    return letters;
}

static void send_one(struct dead_letters *letters, int64_t offset)
{
    struct dead_letter letter = {.topic = "t",
                                 .offset = offset,
                                 .timestamp_ms = -1,
                                 .cause = "bad_json",
                                 .detail = "",
                                 .has_value = true,
                                 .value = bytes_of_text("no JSON")};
    struct err err;
    cr_assert(dead_letters_send(letters, &letter, &err), "%s", err.message);
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A disk that is full inside a line, and has room later. */
Test(dead_letter, a_line_is_ended_where_the_disk_was_full)
{
    char path[] = "/tmp/letters-XXXXXX";
    close(mkstemp(path));
    struct dead_letter_settings settings = {.policy = DEAD_LETTER_FILE, .path = path};
    struct dead_letters *letters = open_letters(&settings, NULL);
    for (int64_t offset = 0; offset < 5; offset++) {
        send_one(letters, offset);
    }
    signal(SIGXFSZ, SIG_IGN);
    limit_files(200);
    struct err err;
    cr_assert_not(dead_letters_flush(letters, &err));
    limit_files(RLIM_INFINITY);
    cr_assert(dead_letters_flush(letters, &err), "%s", err.message);
    dead_letters_free(letters);
    AUTO(buf) struct buf text;
    buf_init(&text, 1 << 20);
    cr_assert(file_read(path, &text, &err));
    unlink(path);
    const char *line = buf_text(&text);
    for (int64_t offset = 0; offset < 5; offset++) {
        size_t size = strcspn(line, "\n");
        cr_assert_eq(line[size], '\n');
        AUTO(json) cJSON *root = NULL;
        cr_assert(json_parse(bytes_of(line, size), &root, &err), "%s: %.*s", err.message, (int)size,
                  line);
        struct json at = json_root(root);
        int64_t got = -1;
        cr_assert(json_i64(&at, "offset", 0, 10, &got, &err));
        cr_assert_eq(got, offset);
        line += size + 1;
    }
    cr_assert_eq(*line, '\0');
}

/* The process died in the middle of a write; the next one begins a line of its own, and only then.
 */
Test(dead_letter, a_torn_line_stays_alone)
{
    char folder[] = "/tmp/letters-XXXXXX";
    cr_assert_not_null(mkdtemp(folder));
    char path[64];
    snprintf(path, sizeof path, "%s/letters", folder);
    struct dead_letter_settings settings = {.policy = DEAD_LETTER_FILE, .path = path};
    struct err err;
    for (int round = 0; round < 3; round++) {
        struct dead_letters *letters = open_letters(&settings, NULL);
        send_one(letters, round);
        cr_assert(dead_letters_flush(letters, &err), "%s", err.message);
        dead_letters_free(letters);
        uint64_t size = 0;
        cr_assert(file_size(path, &size, &err));
        if (round == 1) {
            cr_assert_eq(truncate(path, (off_t)size - 9), 0);
        }
    }
    AUTO(buf) struct buf text;
    buf_init(&text, 1 << 20);
    cr_assert(file_read(path, &text, &err));
    unlink(path);
    rmdir(folder);
    const char *line = buf_text(&text);
    for (int round = 0; round < 3; round++) {
        size_t size = strcspn(line, "\n");
        AUTO(json) cJSON *root = NULL;
        cr_expect_eq(json_parse(bytes_of(line, size), &root, &err), round != 1, "%.*s", (int)size,
                     line);
        cr_assert_eq(line[size], '\n');
        line += size + 1;
    }
    cr_assert_eq(*line, '\0');
}

/* A pipe takes bytes, and stores none. */
Test(dead_letter, what_was_not_stored_once_is_not_called_stored)
{
    char folder[] = "/tmp/letters-XXXXXX";
    cr_assert_not_null(mkdtemp(folder));
    char path[64];
    snprintf(path, sizeof path, "%s/pipe", folder);
    cr_assert_eq(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK);
    cr_assert_geq(reader, 0);
    struct dead_letter_settings settings = {.policy = DEAD_LETTER_FILE, .path = path};
    struct dead_letters *letters = open_letters(&settings, NULL);
    send_one(letters, 1);
    struct err err;
    cr_assert_not(dead_letters_flush(letters, &err));
    cr_assert_not(dead_letters_flush(letters, &err));
    dead_letters_free(letters);
    close(reader);
    unlink(path);
    rmdir(folder);
}

/* Nobody listens there. The producer gives up what it had, and has it again. */
Test(dead_letter, letters_that_no_broker_took_are_not_called_stored, .timeout = 60)
{
    struct cluster_property soon = {"message.timeout.ms", "1000"};
    struct cluster_settings cluster = {
        .brokers = "127.0.0.1:1", .properties = &soon, .property_count = 1};
    struct dead_letter_settings settings = {.policy = DEAD_LETTER_TOPIC, .topic = "letters"};
    struct dead_letters *letters = open_letters(&settings, &cluster);
    send_one(letters, 1);
    struct err err;
    cr_assert_not(dead_letters_flush(letters, &err));
    cr_assert_not(dead_letters_flush(letters, &err));
    dead_letters_free(letters);
}
