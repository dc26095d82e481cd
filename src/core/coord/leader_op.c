/* The leader's commands, records and traces. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/coord/leader_state.h"

enum { RECORD_BYTES_MAX = 64 << 20, TRACE_BYTES_MAX = 1 << 20, OUT_ARENA_BYTES = 64 << 10 };

void leader_out_init(struct leader_out *out)
{
    *out = (struct leader_out){.arena = arena_new(OUT_ARENA_BYTES)};
    buf_init(&out->trace, TRACE_BYTES_MAX);
}

void leader_out_done(struct leader_out *out)
{
    out->arena = arena_free(out->arena);
    buf_done(&out->trace);
}

struct leader_command *leader_command(struct leader *leader, enum leader_command_kind kind)
{
    struct leader_out *out = leader->out;
    if (out->commands == NULL) {
        out->commands = arena_zero(out->arena, LEADER_COMMANDS_MAX * sizeof(struct leader_command));
    }
    CHECK(out->command_count < LEADER_COMMANDS_MAX);
    /* the array is ours; only its readers see it const */
    struct leader_command *command = (struct leader_command *)&out->commands[out->command_count++];
    command->kind = kind;
    return command;
}

struct leader_command *leader_ask(struct leader *leader, enum leader_command_kind kind,
                                  enum leader_purpose purpose)
{
    CHECK(leader->purpose == FOR_NOTHING);
    struct leader_command *command = leader_command(leader, kind);
    command->id = ++leader->command;
    leader->purpose = purpose;
    leader->command_asked_us = leader->now_us;
    leader->command_asked_end = fold_end(leader->fold);
    return command;
}

const char *leader_text(struct leader *leader, const char *format, ...)
{
    char text[MESSAGE_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return arena_text(leader->out->arena, bytes_of_text(text));
}

static bool encode(struct leader *leader, const struct message *message, struct coord_record *to,
                   struct err *err)
{
    AUTO(buf) struct buf key;
    AUTO(buf) struct buf value;
    buf_init(&key, KEY_TEXT_MAX);
    buf_init(&value, RECORD_BYTES_MAX);
    TRY(message_fits(message, err));
    message_key(message, &key);
    message_encode(message, &value);
    if (key.overflowed || value.overflowed) {
        return err_set(err, ERR_INPUT, "%s: more than %d bytes", message_kind_name(message->kind),
                       RECORD_BYTES_MAX);
    }
    *to = (struct coord_record){.key = arena_copy(leader->out->arena, buf_bytes(&key)),
                                .value = arena_copy(leader->out->arena, buf_bytes(&value))};
    return true;
}

void leader_append(struct leader *leader, enum leader_purpose purpose,
                   const struct message *messages, size_t count, const char *const *tombstones,
                   size_t tombstone_count)
{
    struct coord_record *records =
        arena_zero(leader->out->arena, (count + tombstone_count) * sizeof *records);
    for (size_t i = 0; i < count; i++) {
        struct err err;
        if (!encode(leader, &messages[i], &records[i], &err)) {
            /* as an append that surely failed: what asks for it stays as it is */
            leader_alert(leader, "beyond what the ledger can say: %s", err.message);
            leader_does(leader, "cannot append what it has to say");
            leader_retry_later(leader);
            return;
        }
        leader_trace(leader, "append %.*s", (int)records[i].value.size,
                     (const char *)records[i].value.data);
    }
    for (size_t i = 0; i < tombstone_count; i++) {
        records[count + i] = (struct coord_record){
            .key = arena_copy(leader->out->arena, bytes_of_text(tombstones[i])), .tombstone = true};
        leader_trace(leader, "tombstone %s", tombstones[i]);
    }
    struct leader_command *command = leader_ask(leader, LEADER_APPEND, purpose);
    command->append.records = records;
    command->append.count = count + tombstone_count;
}

void leader_append_one(struct leader *leader, const struct message *message)
{
    leader_append(leader, FOR_RECORDS, message, 1, NULL, 0);
}

void leader_trace(struct leader *leader, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    coord_trace(&leader->out->trace, format, args);
    va_end(args);
}

void leader_does(struct leader *leader, const char *what)
{
    snprintf(leader->doing, sizeof leader->doing, "%s", what);
}

void leader_alert(struct leader *leader, const char *format, ...)
{
    char text[sizeof leader->alerted];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (strcmp(text, leader->alerted) == 0) {
        return;
    }
    memcpy(leader->alerted, text, sizeof text);
    leader_trace(leader, "alert %s", text);
    leader_command(leader, LEADER_ALERT)->alert =
        arena_text(leader->out->arena, bytes_of_text(text));
}

void leader_retry_later(struct leader *leader)
{
    leader->failures++;
    leader->retry_us =
        leader->now_us + coord_backoff(leader->settings, leader->failures, &leader->rng);
}

void leader_set_name(char *to, const char *name)
{
    size_t size = strlen(name);
    CHECK(size <= MESSAGE_NAME_MAX);
    memcpy(to, name, size + 1);
}

void leader_ask_pointer(struct leader *leader)
{
    leader_ask(leader, LEADER_GET_POINTER, FOR_POINTER);
}

void leader_ask_ends(struct leader *leader)
{
    leader_ask(leader, LEADER_QUERY_ENDS, FOR_ENDS);
}

void leader_run_record(struct leader *leader, const char *run_id, int status,
                       const char *manifest_ref, const char *error)
{
    struct leader_command *command = leader_command(leader, LEADER_RUN_RECORD);
    struct arena *arena = leader->out->arena;
    command->run_record.run_id = arena_text(arena, bytes_of_text(run_id));
    command->run_record.status = status == RUN_RUNNING     ? RUN_RUNNING
                                 : status == RUN_SUCCEEDED ? RUN_SUCCEEDED
                                                           : RUN_FAILED;
    command->run_record.manifest_ref = arena_text(arena, bytes_of_text(manifest_ref));
    command->run_record.error = arena_text(arena, bytes_of_text(error));
}

bool leader_has_text(const char *const *texts, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(texts[i], text) == 0) {
            return true;
        }
    }
    return false;
}

int64_t leader_broker_now(const struct leader *leader)
{
    return leader->now_us + leader->broker_ahead_us;
}
