/* Where records go that cannot be used, or came too late: with their coordinates and the cause. */
#include "consumer/intake/dead_letter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/os/clock.h"
#include "adapters/os/file.h"
#include "adapters/producer.h"
#include "core/base/buf.h"
#include "core/base/json.h"
#include "core/base/utc.h"

enum { LETTER_FLUSH_MS = 60 * 1000, LETTER_QUEUE_WAIT_MS = 1000, LETTER_LINE_MAX = 256 << 20 };

struct dead_letters {
    struct dead_letter_settings settings;
    struct producer *producer;
    int fd;
    struct buf lines; /* of the file, not written yet */
    size_t written;   /* of lines */
};

/* A process that died in the middle of a write left a part of a line: what follows must not be
 * taken for its rest. The letter itself comes again. */
static bool end_torn_line(int fd, const char *path, struct err *err)
{
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return file_err(err, errno, "look at the dead letters' file", path);
    }
    if (!S_ISREG(info.st_mode) || info.st_size == 0) {
        return true;
    }
    int reader = open(path, O_RDONLY | O_CLOEXEC);
    if (reader < 0) {
        return file_err(err, errno, "read the dead letters' file", path);
    }
    uint8_t last = '\n';
    bool done = file_read_at(reader, (uint64_t)info.st_size - 1, &last, 1, path, err);
    close(reader);
    return done && (last == '\n' || file_write_all(fd, bytes_of_text("\n"), path, err));
}

static bool open_file(const char *path, int *ret_fd, struct err *err)
{
    enum { HOW = O_WRONLY | O_APPEND | O_CLOEXEC };
    int fd = open(path, HOW);
    bool is_new = fd < 0 && errno == ENOENT;
    if (is_new) {
        fd = open(path, HOW | O_CREAT, 0600);
    }
    if (fd < 0) {
        return file_err(err, errno, "open the dead letters' file", path);
    }
    *ret_fd = fd;
    return is_new ? file_sync_parent(path, err) : end_torn_line(fd, path, err);
}

bool dead_letters_new(const struct dead_letter_settings *settings,
                      const struct cluster_settings *cluster, struct dead_letters **ret_letters,
                      struct err *err)
{
    struct dead_letters *letters = calloc(1, sizeof *letters);
    CHECK(letters != NULL);
    letters->settings = *settings;
    letters->fd = -1;
    buf_init(&letters->lines, LETTER_LINE_MAX);
    bool done = true;
    if (settings->policy == DEAD_LETTER_TOPIC) {
        done = producer_new(cluster, &letters->producer, err);
    } else if (settings->policy == DEAD_LETTER_FILE) {
        done = open_file(settings->path, &letters->fd, err);
    }
    if (!done) {
        dead_letters_free(letters);
        return false;
    }
    *ret_letters = letters;
    return true;
}

struct dead_letters *dead_letters_free(struct dead_letters *letters)
{
    if (letters != NULL) {
        producer_free(letters->producer);
        if (letters->fd >= 0) {
            close(letters->fd);
        }
        buf_done(&letters->lines);
        free(letters);
    }
    return NULL;
}

/* A key or payload in JSON: text where it is text, hex where it is not. */
static void put_data(cJSON *object, const char *name, bool there, struct bytes data)
{
    if (!there) {
        json_put_null(object, name);
        return;
    }
    AUTO(buf) struct buf text;
    buf_init(&text, 2 * data.size + 1);
    if (bytes_are_utf8(data) &&
        memchr(data.data == NULL ? "" : (const void *)data.data, 0, data.size) == NULL) {
        buf_add_bytes(&text, data);
        json_put_text(object, name, buf_text(&text));
    } else {
        buf_add_hex(&text, data);
        json_put_text(json_put_object(object, name), "hex", buf_text(&text));
    }
}

static bool send_to_file(struct dead_letters *letters, const struct dead_letter *letter,
                         struct err *err)
{
    AUTO(json) cJSON *line = json_new_object();
    json_put_text(line, "topic", letter->topic);
    json_put_i64(line, "partition", letter->partition);
    json_put_i64(line, "offset", letter->offset);
    json_put_i64(line, "timestamp_ms", letter->timestamp_ms);
    json_put_text(line, "cause", letter->cause);
    json_put_text(line, "detail", letter->detail);
    put_data(line, "key", letter->has_key, letter->key);
    put_data(line, "value", letter->has_value, letter->value);
    json_print(line, &letters->lines);
    buf_add_byte(&letters->lines, '\n');
    if (letters->lines.overflowed) {
        buf_clear(&letters->lines);
        return err_set(err, ERR_LIMIT, "a dead letter of %s is too large for the file",
                       letter->topic);
    }
    return letters->lines.size < (1 << 20) || dead_letters_flush(letters, err);
}

static bool send_to_topic(struct dead_letters *letters, const struct dead_letter *letter,
                          struct err *err)
{
    char partition[16];
    char offset[24];
    char timestamp[24];
    snprintf(partition, sizeof partition, "%d", (int)letter->partition);
    snprintf(offset, sizeof offset, "%lld", (long long)letter->offset);
    snprintf(timestamp, sizeof timestamp, "%lld", (long long)letter->timestamp_ms);
    const struct producer_header headers[] = {
        {"tidemark.topic", bytes_of_text(letter->topic)},
        {"tidemark.partition", bytes_of_text(partition)},
        {"tidemark.offset", bytes_of_text(offset)},
        {"tidemark.timestamp_ms", bytes_of_text(timestamp)},
        {"tidemark.cause", bytes_of_text(letter->cause)},
        {"tidemark.detail", bytes_of_text(letter->detail)},
    };
    struct producer_record record = {
        .topic = letters->settings.topic,
        .partition = -1,
        .has_key = letter->has_key,
        .has_value = letter->has_value,
        .key = letter->key,
        .value = letter->value,
        .headers = headers,
        .header_count = LENGTH_OF(headers),
    };
    while (!producer_send(letters->producer, &record, err)) {
        if (err->kind == ERR_MISSING) {
            return err_set(err, ERR_SETTINGS,
                           "dead_letter.topic: there is no topic \"%s\", and %s[%d]@%lld cannot be "
                           "used: make it, or correct dead_letter",
                           record.topic, letter->topic, (int)letter->partition,
                           (long long)letter->offset);
        }
        if (err->kind != ERR_LIMIT) {
            return err_wrap(err, "dead letter of %s[%d]@%lld", letter->topic,
                            (int)letter->partition, (long long)letter->offset);
        }
        producer_serve(letters->producer, LETTER_QUEUE_WAIT_MS);
    }
    producer_serve(letters->producer, 0);
    return true;
}

bool dead_letters_send(struct dead_letters *letters, const struct dead_letter *letter,
                       struct err *err)
{
    switch (letters->settings.policy) {
    case DEAD_LETTER_FAIL:
        return err_set(err, ERR_SETTINGS,
                       "%s[%d]@%lld cannot be used (%s%s%s) and dead_letter.policy is \"fail\": "
                       "set another policy, or give the record up with `tidemark skip %s %d %lld "
                       "%lld --why …`",
                       letter->topic, (int)letter->partition, (long long)letter->offset,
                       letter->cause, letter->detail[0] == '\0' ? "" : ": ", letter->detail,
                       letter->topic, (int)letter->partition, (long long)letter->offset,
                       (long long)letter->offset + 1);
    case DEAD_LETTER_DROP:
        return true;
    case DEAD_LETTER_TOPIC:
        return send_to_topic(letters, letter, err);
    case DEAD_LETTER_FILE:
        return send_to_file(letters, letter, err);
    }
    return true;
}

/* What could not be stored is kept, and written again: a letter may stand there twice. */
static bool flush_file(struct dead_letters *letters, struct err *err)
{
    struct bytes lines = buf_bytes(&letters->lines);
    if (lines.size == 0) {
        return true;
    }
    while (letters->written < lines.size) {
        ssize_t written =
            write(letters->fd, lines.data + letters->written, lines.size - letters->written);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return file_err(err, errno, "write", letters->settings.path);
        }
        letters->written += (size_t)written; /* the next try goes on inside the line */
    }
    letters->written = 0;
    if (fsync(letters->fd) != 0) {
        return file_err(err, errno, "store", letters->settings.path);
    }
    buf_clear(&letters->lines);
    return true;
}

bool dead_letters_flush(struct dead_letters *letters, struct err *err)
{
    if (letters->producer != NULL) {
        return producer_flush(letters->producer, LETTER_FLUSH_MS, err) ||
               err_wrap(err, "dead letters");
    }
    return letters->fd < 0 || flush_file(letters, err);
}
