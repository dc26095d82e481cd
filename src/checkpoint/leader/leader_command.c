/* Carries out one command of the leader machine. */
#include "checkpoint/leader/leader_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/os/crash_point.h"
#include "adapters/os/log.h"
#include "core/base/utc.h"

enum { COMMAND_KAFKA_MS = 30 * 1000, COMMAND_INIT_MS = 45 * 1000 };
/* A rebalance may wait for a session that ends, and what follows it for another. */
enum { UNOWNED_TIMEOUTS = 5 };

void leader_hands_init(struct leader_hands *hands, const struct leader_thread_settings *settings)
{
    *hands = (struct leader_hands){
        .settings = settings,
        .publish = publish_new(&settings->publish),
        .registry = registry_new(settings->publish.store, settings->publish.names),
        .arena = arena_new(64 * 1024),
    };
    unowned_init(&hands->unowned, UNOWNED_TIMEOUTS * settings->coord->owner_timeout_us);
}

void leader_hands_done(struct leader_hands *hands)
{
    publish_free(hands->publish);
    registry_free(hands->registry);
    unowned_done(&hands->unowned);
    arena_free(hands->arena);
}

static void tell_commit(const struct message_commit *commit)
{
    const struct commit_snapshot *snapshot = &commit->snapshot;
    unsigned long long build = commit->build;
    if (commit->kind == COMMIT_BUILD) {
        log_info("leader", "committed build %llu, run %s: %llu rows in %u shards", build,
                 commit->run_id, (unsigned long long)snapshot->rows, (unsigned)snapshot->num_dbs);
    } else if (commit->kind == COMMIT_EMPTY) {
        log_info("leader", "committed build %llu: no rows, no snapshot", build);
    } else if (commit->has_snapshot) {
        log_info("leader", "%s run %s: the next build stands on it",
                 commit->kind == COMMIT_RESUMED ? "resumed with" : "adopted", snapshot->run_id);
    } else {
        log_info("leader", "resumed, without a snapshot");
    }
}

static const char *time_text(int64_t time_us, char text[UTC_TEXT_SIZE])
{
    if (utc_in_range(time_us)) {
        utc_format_json(time_us, text);
    } else {
        snprintf(text, UTC_TEXT_SIZE, "%lld us", (long long)time_us);
    }
    return text;
}

static void tell_close(const struct message_close *close)
{
    const char *trigger = close_trigger_names[close->trigger];
    unsigned long long build = close->build;
    char from[UTC_TEXT_SIZE];
    char to[UTC_TEXT_SIZE];
    if (close->to_us == EVENT_TIME_HIGH) {
        log_info("leader", "closed build %llu (%s, all up to the cut): the cut is on record", build,
                 trigger);
    } else {
        bool open = close->from_us == EVENT_TIME_LOW;
        log_info("leader", "closed build %llu (%s, %s%s%s): the cut is on record", build, trigger,
                 open ? "all" : time_text(close->from_us, from), open ? " before " : " to ",
                 time_text(close->to_us, to));
    }
}

/* What people want to see of the leader's records. */
static void tell(const struct coord_record *record)
{
    AUTO(arena) struct arena *arena = arena_new(16 * 1024);
    struct message message;
    struct err err;
    if (record->tombstone || !message_decode(record->key, record->value, arena, &message, &err)) {
        return;
    }
    if (message.kind == MESSAGE_CLOSE) {
        tell_close(&message.close);
        crash_point("closed");
    } else if (message.kind == MESSAGE_PLAN) {
        log_info("leader", "planned build %llu as run %s, %zu shards",
                 (unsigned long long)message.plan.build, message.plan.run_id,
                 message.plan.shard_count);
        crash_point("planned");
    } else if (message.kind == MESSAGE_COMMIT) {
        tell_commit(&message.commit);
        crash_point("committed");
    } else if (message.kind == MESSAGE_PUBLISHED) {
        log_info("leader", "published build %llu, run %s",
                 (unsigned long long)message.published.build, message.published.run_id);
        crash_point("published");
    } else if (message.kind == MESSAGE_ABORTED) {
        log_warn("leader", "build %llu, run %s aborted: %s",
                 (unsigned long long)message.aborted.build, message.aborted.run_id,
                 message.aborted.reason);
    } else if (message.kind == MESSAGE_HELD) {
        log_info("leader", "on hold by %s%s%s, until `tidemark resume`", message.hold.who,
                 message.hold.why[0] == '\0' ? "" : ": ", message.hold.why);
    }
}

static bool append(struct leader_hands *hands, const struct leader_command *command,
                   struct leader_event *event, struct err *err)
{
    size_t count = command->append.count;
    struct ledger_record *records = arena_zero(hands->arena, (count + 1) * sizeof *records);
    for (size_t i = 0; i < count; i++) {
        const struct coord_record *from = &command->append.records[i];
        records[i].key = from->key;
        records[i].value = from->value;
        records[i].is_tombstone = from->tombstone;
    }
    event->result.append_offset = -1;
    TRY(leadership_append(hands->leadership, records, count, COMMAND_KAFKA_MS,
                          &event->result.append_offset, err));
    for (size_t i = 0; i < count; i++) {
        tell(&command->append.records[i]);
    }
    return true;
}

/* Where the setting `start` begins in each partition. */
static bool find_starts(struct leader_hands *hands, const struct source_ends *ends, size_t count,
                        struct coord_ends *to, struct err *err)
{
    struct source_start *starts = arena_zero(hands->arena, (count + 1) * sizeof *starts);
    for (size_t i = 0; i < count; i++) {
        starts[i].partition = ends[i].partition;
        starts[i].offset = hands->settings->start == SOURCE_LATEST ? ends[i].stable : ends[i].low;
    }
    if (hands->settings->start == SOURCE_TIME) {
        TRY(source_query_starts(hands->query, SOURCE_TIME, hands->settings->start_time_ms, starts,
                                count, COMMAND_KAFKA_MS, err));
    }
    for (size_t i = 0; i < count; i++) {
        to[i].start = starts[i].offset;
    }
    return true;
}

static bool query_ends(struct leader_hands *hands, struct leader_event *event, struct err *err)
{
    struct source_ends *ends = NULL;
    size_t count = 0;
    TRY(source_query_ends(hands->query, COMMAND_KAFKA_MS, hands->arena, &ends, &count, err));
    struct coord_ends *to = arena_zero(hands->arena, (count + 1) * sizeof *to);
    for (size_t i = 0; i < count; i++) {
        char *id = arena_zero(hands->arena, CLUSTER_ID_TEXT_MAX);
        cluster_topic_id_text(ends[i].topic_id, id);
        to[i] = (struct coord_ends){
            .id = {hands->settings->source.topics[ends[i].partition.topic],
                   ends[i].partition.partition},
            .topic_id = id,
            .low = ends[i].low,
            .last_stable = ends[i].stable,
            .high = ends[i].high,
        };
    }
    TRY(find_starts(hands, ends, count, to, err));
    event->result.ends = to;
    event->result.end_count = count;
    unowned_hear(&hands->unowned, to, count);
    return true;
}

static bool stage(struct leader_hands *hands, const struct leader_command *command, int64_t now_us,
                  struct leader_event *event, struct err *err)
{
    struct publish_staged staged = {0};
    bool done = publish_stage(hands->publish, &command->stage, now_us, hands->arena, &staged, err);
    event->result.staged.missing_shard = staged.missing_shard;
    if (done) {
        event->result.staged.staged_url = staged.staged_url;
        event->result.staged.manifest_ref = staged.manifest_ref;
        event->result.staged.sha256 = staged.sha256;
        event->result.staged.pointer = staged.pointer;
        crash_point("staged");
    }
    return done;
}

static bool swap(struct leader_hands *hands, const struct leader_command *command, struct err *err)
{
    crash_point("swapping");
    TRY(publish_pointer_swap(hands->publish, command->swap.bytes, command->swap.if_match,
                             command->swap.create_only, err));
    crash_point("pointer-swapped");
    return true;
}

static bool put_manifest(struct leader_hands *hands, const struct leader_command *command,
                         struct err *err)
{
    TRY(publish_manifest(hands->publish, &command->manifest, err));
    crash_point("manifest-put");
    return true;
}

static bool clean(struct leader_hands *hands, const struct leader_command *command, struct err *err)
{
    if (command->kind == LEADER_DELETE_RUN) {
        TRY(publish_delete_run(hands->publish, command->delete_run.run_id, err));
        log_info("leader", "deleted run %s", command->delete_run.run_id);
    } else {
        TRY(publish_delete_objects(hands->publish, command->delete_objects.urls,
                                   command->delete_objects.count, err));
    }
    crash_point("cleaned");
    return true;
}

static bool carry_out(struct leader_hands *hands, const struct leader_command *command,
                      int64_t now_us, struct leader_event *event, struct err *err)
{
    switch (command->kind) {
    case LEADER_INIT_TRANSACTIONS:
        return leadership_begin_term(hands->leadership, COMMAND_INIT_MS, err);
    case LEADER_APPEND:
        return append(hands, command, event, err);
    case LEADER_QUERY_ENDS:
        return query_ends(hands, event, err);
    case LEADER_GET_POINTER:
        return publish_pointer_get(hands->publish, hands->arena, &event->result.pointer, err);
    case LEADER_STAGE_MANIFEST:
        return stage(hands, command, now_us, event, err);
    case LEADER_PUT_MANIFEST:
        return put_manifest(hands, command, err);
    case LEADER_SWAP_POINTER:
        return swap(hands, command, err);
    case LEADER_DELETE_RUN:
    case LEADER_DELETE_OBJECTS:
        return clean(hands, command, err);
    case LEADER_LIST_OLD_RUNS:
        return publish_list_runs(hands->publish, hands->arena, &event->result.old_runs,
                                 &event->result.old_run_count, err);
    case LEADER_LIST_STRAYS:
        return publish_list_strays(hands->publish, command, hands->arena, &event->result.strays,
                                   &event->result.stray_count, err);
    case LEADER_LIST_LEFTOVERS:
        return publish_list_leftovers(hands->publish, command->leftovers.build, hands->arena,
                                      &event->result.leftovers, &event->result.leftover_count, err);
    case LEADER_RUN_RECORD:
    case LEADER_STEP_DOWN:
    case LEADER_ALERT:
    case LEADER_COMMAND_KINDS:
        break;
    }
    CHECK(!"a command without a result");
    return true;
}

bool leader_command_run(struct leader_hands *hands, const struct leader_command *command,
                        int64_t now_us, struct leader_event *ret_event)
{
    if (command->kind == LEADER_ALERT) {
        hands->alerts++;
        log_warn("leader", "%s", command->alert);
        return false;
    }
    if (command->kind == LEADER_RUN_RECORD) {
        registry_set(hands->registry, command->run_record.run_id, command->run_record.status,
                     command->run_record.manifest_ref, command->run_record.error, now_us);
        return false;
    }
    arena_reset(hands->arena);
    struct err err = {0};
    *ret_event = (struct leader_event){.kind = LEADER_EVENT_RESULT};
    bool done = carry_out(hands, command, now_us, ret_event, &err);
    ret_event->result.command = command->id;
    ret_event->result.outcome = done ? ERR_NONE : err.kind;
    ret_event->result.message = done ? "" : arena_text(hands->arena, bytes_of_text(err.message));
    if (!done) {
        log_failure(LOG_INFO, "leader", &err, "a step did not work, the leader decides what next");
    }
    bool of_ledger = command->kind == LEADER_INIT_TRANSACTIONS || command->kind == LEADER_APPEND;
    if (of_ledger && err.kind == ERR_SETTINGS) {
        hands->refused = err;
    }
    return true;
}
