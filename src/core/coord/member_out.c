/* The member's commands, and its records until they are known to be in the ledger. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/coord/member_state.h"

enum { VALUE_BYTES_MAX = 64 << 20, KEY_BYTES_MAX = 4 * MESSAGE_NAME_MAX, TRACE_MAX = 1 << 20 };

void member_out_init(struct member_out *out)
{
    *out = (struct member_out){.arena = arena_new(64 << 10)};
    buf_init(&out->trace, TRACE_MAX);
}

void member_out_done(struct member_out *out)
{
    out->arena = arena_free(out->arena);
    buf_done(&out->trace);
}

struct member_command *member_command(struct member *member, enum member_command_kind kind)
{
    struct member_out *out = member->out;
    if (out->command_count == member->command_capacity) {
        size_t capacity = member->command_capacity == 0 ? 16 : member->command_capacity * 2;
        struct member_command *list = arena_zero(out->arena, capacity * sizeof *list);
        if (out->command_count > 0) {
            memcpy(list, out->commands, out->command_count * sizeof *list);
        }
        out->commands = list;
        member->command_capacity = capacity;
    }
    /* the array is ours; only its readers see it const */
    struct member_command *command = (struct member_command *)&out->commands[out->command_count++];
    command->kind = kind;
    return command;
}

void member_trace(struct member *member, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    coord_trace(&member->out->trace, format, args);
    va_end(args);
}

/* Traced behind `word`; lives as long as the commands. */
PRINTF_LIKE(3, 0)
static const char *command_text(struct member *member, const char *word, const char *format,
                                va_list args)
{
    char text[512];
    vsnprintf(text, sizeof text, format, args);
    member_trace(member, "%s %s", word, text);
    return arena_text(member->out->arena, bytes_of_text(text));
}

void member_alert(struct member *member, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = command_text(member, "alert", format, args);
    va_end(args);
    member_command(member, MEMBER_ALERT)->alert = text;
}

void member_end(struct member *member, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = command_text(member, "end", format, args);
    va_end(args);
    member_command(member, MEMBER_END)->end = text;
}

void member_does(struct member *member, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(member->doing, sizeof member->doing, format, args);
    va_end(args);
}

int64_t member_backoff(struct member *member, uint32_t *failures)
{
    *failures += *failures < UINT32_MAX;
    return coord_backoff(member->settings, *failures, &member->rng);
}

static void outgoing_done(struct outgoing *outgoing)
{
    free(outgoing->key);
    buf_done(&outgoing->value);
}

static void remove_at(struct outbox *outbox, size_t index)
{
    outgoing_done(&outbox->list[index]);
    outbox->count--;
    memmove(&outbox->list[index], &outbox->list[index + 1],
            (outbox->count - index) * sizeof(struct outgoing));
}

bool member_sending(const struct member *member, const char *key)
{
    for (size_t i = 0; i < member->outbox.count; i++) {
        if (strcmp(member->outbox.list[i].key, key) == 0) {
            return true;
        }
    }
    return false;
}

/* A newer record takes the place of one of the same key that is not under way. */
static struct outgoing *add_outgoing(struct outbox *outbox, const char *key)
{
    for (size_t i = 0; i < outbox->count; i++) {
        if (outbox->list[i].command == 0 && strcmp(outbox->list[i].key, key) == 0) {
            remove_at(outbox, i);
            break;
        }
    }
    if (outbox->count == outbox->capacity) {
        outbox->capacity = outbox->capacity == 0 ? 8 : outbox->capacity * 2;
        outbox->list = realloc(outbox->list, outbox->capacity * sizeof(struct outgoing));
        CHECK(outbox->list != NULL);
    }
    struct outgoing *outgoing = &outbox->list[outbox->count++];
    *outgoing = (struct outgoing){.key = strdup(key)};
    CHECK(outgoing->key != NULL);
    buf_init(&outgoing->value, VALUE_BYTES_MAX);
    return outgoing;
}

bool member_send(struct member *member, const struct message *message)
{
    struct err err;
    AUTO(buf) struct buf key;
    AUTO(buf) struct buf value;
    buf_init(&key, KEY_BYTES_MAX);
    buf_init(&value, VALUE_BYTES_MAX);
    bool fits = message_fits(message, &err);
    if (fits) {
        message_key(message, &key);
        message_encode(message, &value);
        fits = !value.overflowed || err_set(&err, ERR_INPUT, "%s: more than %d bytes",
                                            message_kind_name(message->kind), VALUE_BYTES_MAX);
    }
    if (!fits) {
        member_alert(member, "beyond what the ledger can say: %s", err.message);
        return false;
    }
    member_send_encoded(member, buf_text(&key), buf_bytes(&value));
    return true;
}

void member_send_encoded(struct member *member, const char *key, struct bytes value)
{
    buf_add_bytes(&add_outgoing(&member->outbox, key)->value, value);
}

/* Another record of the same key, from `from` up to `to`. */
static bool has_same_key(const struct outbox *outbox, size_t from, size_t to, const char *key)
{
    for (size_t i = from; i < to; i++) {
        if (strcmp(outbox->list[i].key, key) == 0) {
            return true;
        }
    }
    return false;
}

/* Of one key one record at a time is under way, so that the newest is the last in the ledger. */
void member_flush(struct member *member)
{
    for (size_t i = 0; i < member->outbox.count; i++) {
        struct outgoing *outgoing = &member->outbox.list[i];
        if (outgoing->command != 0 || member->now_us < outgoing->retry_us ||
            has_same_key(&member->outbox, 0, i, outgoing->key)) {
            continue;
        }
        struct arena *arena = member->out->arena;
        struct coord_record *record = arena_zero(arena, sizeof *record);
        record->key = arena_copy(arena, bytes_of_text(outgoing->key));
        record->value = arena_copy(arena, buf_bytes(&outgoing->value));
        outgoing->command = ++member->command;
        struct member_command *command = member_command(member, MEMBER_APPEND);
        command->id = outgoing->command;
        command->append.records = record;
        command->append.count = 1;
        if (strncmp(outgoing->key, "progress/", 9) != 0) {
            member_trace(member, "append %.*s", (int)record->value.size,
                         (const char *)record->value.data);
        }
    }
}

void member_appended(struct member *member, uint64_t command, enum err_kind outcome)
{
    struct outbox *outbox = &member->outbox;
    for (size_t i = 0; i < outbox->count; i++) {
        struct outgoing *outgoing = &outbox->list[i];
        if (outgoing->command != command) {
            continue;
        }
        if (outcome == ERR_NONE || has_same_key(outbox, i + 1, outbox->count, outgoing->key)) {
            remove_at(outbox, i); /* it is there, or a newer one waits in its place */
        } else {                  /* the same record twice does no harm: its key is the same */
            outgoing->command = 0;
            outgoing->retry_us = member->now_us + member_backoff(member, &outgoing->failures);
        }
        return;
    }
}

void member_outbox_done(struct member *member)
{
    while (member->outbox.count > 0) {
        remove_at(&member->outbox, member->outbox.count - 1);
    }
    free(member->outbox.list);
}
