/* The leader's shell in the simulated world: carries out one command at a time, with delays and
 * faults. */
#include <stdlib.h>

#include "core/snapshot/lineage.h"
#include "tests/sim/world.h"

static const char *keep(struct sim_process *process, const char *text)
{
    return text == NULL ? NULL : arena_text(process->command_arena, bytes_of_text(text));
}

static void keep_records(struct sim_process *process, const struct leader_command *from)
{
    struct coord_record *records =
        arena_zero(process->command_arena, (from->append.count + 1) * sizeof *records);
    for (size_t i = 0; i < from->append.count; i++) {
        const struct coord_record *record = &from->append.records[i];
        records[i] =
            (struct coord_record){.key = arena_copy(process->command_arena, record->key),
                                  .value = arena_copy(process->command_arena, record->value),
                                  .tombstone = record->tombstone};
    }
    process->command.records = records;
    process->command.count = from->append.count;
}

/* The manifest of this world: its time, the lineage, the winners' URLs; a line each. */
static void keep_stage(struct world *world, struct sim_process *process,
                       const struct leader_stage *stage)
{
    AUTO(buf) struct buf text;
    buf_init(&text, 16 << 20);
    buf_add_format(&text, "%lld\n", (long long)stage->created_at_us);
    const struct lineage_maker maker = {.group = world->settings.group,
                                        .software = "",
                                        .sqlite_version = "",
                                        .contents = "",
                                        .order = "",
                                        .settings = ""};
    struct err err = {0};
    if (!lineage_add_maker(stage->lineage, &maker, &text, &err)) {
        world_fail(world, "a lineage that is none: %s", err.message);
    }
    buf_add_byte(&text, '\n');
    process->command.urls =
        arena_zero(process->command_arena, (stage->winner_count + 1) * sizeof(char *));
    for (size_t i = 0; i < stage->winner_count; i++) {
        buf_add_format(&text, "%s\n", stage->winners[i]->url);
        process->command.urls[process->command.url_count++] = keep(process, stage->winners[i]->url);
    }
    process->command.text = keep(process, buf_text(&text));
    process->command.run_id = keep(process, stage->plan->run_id);
    process->command.staged_url = keep(process, stage->name);
    process->command.time_us = stage->created_at_us;
}

static void keep_strays(struct sim_process *process, const struct leader_command *from)
{
    struct sim_command *to = &process->command;
    to->build = from->strays.build;
    to->urls =
        arena_zero(process->command_arena, (from->strays.attempt_count + 1) * sizeof(char *));
    for (size_t i = 0; i < from->strays.attempt_count; i++) {
        to->urls[to->url_count++] =
            arena_format(process->command_arena, "shards/%s/%u/%u", from->strays.run_id,
                         from->strays.attempts[i].shard, from->strays.attempts[i].attempt);
    }
}

static void keep_command(struct world *world, struct sim_process *process,
                         const struct leader_command *from)
{
    arena_reset(process->command_arena);
    process->command = (struct sim_command){.kind = from->kind, .id = from->id};
    struct sim_command *to = &process->command;
    if (from->kind == LEADER_APPEND) {
        keep_records(process, from);
    } else if (from->kind == LEADER_STAGE_MANIFEST) {
        keep_stage(world, process, &from->stage);
    } else if (from->kind == LEADER_PUT_MANIFEST) {
        to->run_id = keep(process, from->manifest.run_id);
        to->staged_url = keep(process, from->manifest.staged_url);
        to->manifest_ref = keep(process, from->manifest.manifest_ref);
        to->sha256 = keep(process, from->manifest.sha256);
    } else if (from->kind == LEADER_SWAP_POINTER) {
        to->text = arena_text(process->command_arena, from->swap.bytes);
        to->if_match = keep(process, from->swap.if_match);
        to->create_only = from->swap.create_only;
    } else if (from->kind == LEADER_DELETE_RUN) {
        to->run_id = keep(process, from->delete_run.run_id);
    } else if (from->kind == LEADER_DELETE_OBJECTS) {
        to->urls =
            arena_zero(process->command_arena, (from->delete_objects.count + 1) * sizeof(char *));
        for (size_t i = 0; i < from->delete_objects.count; i++) {
            to->urls[to->url_count++] = keep(process, from->delete_objects.urls[i]);
        }
    } else if (from->kind == LEADER_LIST_STRAYS) {
        keep_strays(process, from);
    } else if (from->kind == LEADER_LIST_LEFTOVERS) {
        to->build = from->leftovers.build;
    }
    process->command_out = true;
    process->command_due_us = world->now_us + world_between(world, 0, 3) * SIM_STEP_US;
}

static void take_commands(struct world *world, struct sim_process *process)
{
    world_trace_lines(world, process->name, buf_text(&process->leader_out.trace));
    for (size_t i = 0; i < process->leader_out.command_count; i++) {
        const struct leader_command *command = &process->leader_out.commands[i];
        if (command->kind == LEADER_STEP_DOWN) {
            process->in_leader_group = false;
            world_event(world, "%s steps down", process->name);
            process->leader_group_from_us = world->now_us + command->step_down.rest_us;
        } else if (command->kind != LEADER_ALERT && command->kind != LEADER_RUN_RECORD) {
            keep_command(world, process, command);
        }
    }
}

void leader_shell_event(struct world *world, struct sim_process *process,
                        struct leader_event *event)
{
    event->now_us = process_now(world, process);
    leader_step(process->leader, event, &process->leader_out);
    take_commands(world, process);
}

/* ---- what the commands do ---- */

static void text_of_run(const char *pointer, char *run_id, size_t size)
{
    const char *at = strstr(pointer, "\"run_id\":\"");
    snprintf(run_id, size, "%s", at == NULL ? "" : at + 10);
    run_id[strcspn(run_id, "\"")] = '\0';
}

struct newest {
    char name[300];
    int64_t time_us;
};

/* manifests/<time>_<run>: the listing of a store. */
static size_t list_manifests(const struct sim_store *store, struct leader_old_run *runs,
                             size_t most, struct arena *arena)
{
    size_t count = 0;
    for (size_t i = 0; i < SIM_BUCKETS; i++) {
        for (const struct sim_object *object = store->buckets[i]; object != NULL;
             object = object->next) {
            if (strncmp(object->name, "manifests/", 10) != 0 || count == most) {
                continue;
            }
            int64_t time_us = strtoll(object->name + 10, NULL, 10);
            size_t at = count++;
            while (at > 0 && runs[at - 1].time_us < time_us) {
                runs[at] = runs[at - 1];
                at--;
            }
            runs[at] = (struct leader_old_run){
                .time_us = time_us,
                .run_id = arena_text(arena, bytes_of_text(strchr(object->name, '_') + 1))};
        }
    }
    return count;
}

static void list_strays(struct world *world, struct sim_process *process,
                        struct leader_event *event)
{
    const struct sim_command *command = &process->command;
    size_t most = 512 + command->url_count;
    const char **urls = arena_zero(process->command_arena, most * sizeof *urls);
    size_t count = 0;
    for (size_t i = 0; i < command->url_count; i++) {
        urls[count++] = command->urls[i];
    }
    for (size_t i = 0; i < SIM_BUCKETS; i++) {
        for (const struct sim_object *object = world->store.buckets[i];
             object != NULL && count < most; object = object->next) {
            if (strncmp(object->name, "parts/", 6) == 0 &&
                strtoull(object->name + 6, NULL, 10) <= command->build) {
                urls[count++] = arena_text(process->command_arena, bytes_of_text(object->name));
            }
        }
    }
    event->result.strays = urls;
    event->result.stray_count = count;
}

/* The manifest of a run, as it is listed; NULL: none is. */
static const char *manifest_of(const struct sim_store *store, const struct leader_old_run *runs,
                               size_t count, const char *run_id)
{
    char name[300];
    for (size_t i = 0; i < count; i++) {
        if (strcmp(runs[i].run_id, run_id) == 0) {
            snprintf(name, sizeof name, "manifests/%lld_%s", (long long)runs[i].time_us, run_id);
            return store_get(store, name);
        }
    }
    return NULL;
}

static int leftover_by_run(const void *a, const void *b)
{
    return strcmp(((const struct leader_leftover *)a)->run_id,
                  ((const struct leader_leftover *)b)->run_id);
}

static void list_leftovers(struct world *world, struct sim_process *process,
                           struct leader_event *event)
{
    enum { MOST = 512 };
    struct arena *arena = process->command_arena;
    struct leader_old_run *runs = arena_zero(arena, MOST * sizeof *runs);
    size_t run_count = list_manifests(&world->store, runs, MOST, arena);
    struct leader_leftover *list = arena_zero(arena, MOST * sizeof *list);
    size_t count = 0;
    for (size_t i = 0; i < SIM_BUCKETS; i++) {
        for (const struct sim_object *object = world->store.buckets[i];
             object != NULL && count < MOST; object = object->next) {
            if (strncmp(object->name, "shards/b", 8) != 0 ||
                strtoull(object->name + 8, NULL, 10) > process->command.build) {
                continue;
            }
            const char *run = object->name + 7;
            const char *run_id = arena_text(arena, bytes_of(run, strcspn(run, "/")));
            const char *manifest = manifest_of(&world->store, runs, run_count, run_id);
            bool staged = strstr(object->name, "/manifest.staged") != NULL;
            if (manifest == NULL) {
                list[count++] = (struct leader_leftover){.run_id = run_id};
            } else if (!staged && strstr(manifest, object->name) == NULL) {
                list[count++] = (struct leader_leftover){
                    .run_id = run_id, .url = arena_text(arena, bytes_of_text(object->name))};
            }
        }
    }
    qsort(list, count, sizeof *list, leftover_by_run);
    event->result.leftovers = list;
    event->result.leftover_count = count;
}

static void get_pointer(struct world *world, struct sim_process *process,
                        struct leader_event *event)
{
    struct leader_pointer *pointer = &event->result.pointer;
    struct arena *arena = process->command_arena;
    const char *bytes = store_get(&world->store, "_CURRENT");
    *pointer = (struct leader_pointer){
        .missing = bytes == NULL, .etag = "", .run_id = "", .newer_run_id = ""};
    if (bytes != NULL) {
        char run_id[128];
        text_of_run(bytes, run_id, sizeof run_id);
        pointer->bytes = arena_copy(arena, bytes_of_text(bytes));
        pointer->etag = arena_text(arena, bytes_of_text(bytes));
        pointer->run_id = arena_text(arena, bytes_of_text(run_id));
    }
    struct leader_old_run *runs = arena_zero(arena, 512 * sizeof *runs);
    size_t count = list_manifests(&world->store, runs, 512, arena);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(runs[i].run_id, pointer->run_id) == 0) {
            char name[300];
            snprintf(name, sizeof name, "manifests/%lld_%s", (long long)runs[i].time_us,
                     runs[i].run_id);
            const char *lineage = strchr(store_get(&world->store, name), '\n') + 1;
            pointer->manifest_time_us = runs[i].time_us;
            pointer->lineage =
                arena_copy(arena, bytes_of(lineage, (size_t)(strchr(lineage, '\n') - lineage)));
        }
    }
    if (count > 0 && runs[0].time_us > pointer->manifest_time_us) {
        pointer->newer_manifest = true;
        pointer->newer_run_id = runs[0].run_id;
    }
}

static void stage(struct world *world, struct sim_process *process, struct leader_event *event)
{
    const struct sim_command *command = &process->command;
    struct arena *arena = process->command_arena;
    for (size_t i = 0; i < command->url_count; i++) {
        if (store_get(&world->store, command->urls[i]) == NULL) {
            event->result.outcome = ERR_MISSING;
            return;
        }
    }
    AUTO(buf) struct buf text;
    buf_init(&text, 4096);
    buf_add_format(&text, "shards/%s/%s", command->run_id, command->staged_url);
    const char *staged = arena_text(arena, buf_bytes(&text));
    if (world->stages_late && !world->calm && rng_below(&world->log_rng, 3) == 0) {
        store_put_late(world, staged, command->text);
        event->result.outcome = ERR_TRANSIENT;
        return;
    }
    store_put(&world->store, staged, command->text);
    buf_clear(&text);
    buf_add_format(&text, "manifests/%lld_%s", (long long)command->time_us, command->run_id);
    event->result.staged.staged_url = staged;
    event->result.staged.manifest_ref = arena_text(arena, buf_bytes(&text));
    char hash[17];
    event->result.staged.sha256 = arena_text(arena, bytes_of_text(store_hash(command->text, hash)));
    buf_clear(&text);
    buf_add_format(&text, "{\"run_id\":\"%s\",\"updated_at\":%lld}", command->run_id,
                   (long long)command->time_us);
    event->result.staged.pointer = arena_copy(arena, buf_bytes(&text));
}

static enum err_kind put_manifest(struct world *world, const struct sim_command *command)
{
    if (store_get(&world->store, command->manifest_ref) != NULL) {
        return ERR_NONE;
    }
    const char *staged = store_get(&world->store, command->staged_url);
    if (staged == NULL) {
        return ERR_MISSING;
    }
    char hash[17];
    if (strcmp(store_hash(staged, hash), command->sha256) != 0) {
        return ERR_CORRUPT;
    }
    store_put(&world->store, command->manifest_ref, staged);
    return ERR_NONE;
}

static void delete_run(struct world *world, struct sim_process *process)
{
    struct leader_old_run *runs = arena_zero(process->command_arena, 512 * sizeof *runs);
    size_t count = list_manifests(&world->store, runs, 512, process->command_arena);
    char name[300];
    audit_deletes_run(world, process->command.run_id);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(runs[i].run_id, process->command.run_id) == 0) {
            snprintf(name, sizeof name, "manifests/%lld_%s", (long long)runs[i].time_us,
                     runs[i].run_id);
            store_delete(&world->store, name);
        }
    }
    snprintf(name, sizeof name, "shards/%s/", process->command.run_id);
    store_delete_prefix(&world->store, name);
    world_event(world, "delete %.*s", (int)strcspn(process->command.run_id, "-"),
                process->command.run_id);
}

static void query_ends(struct world *world, struct sim_process *process, struct leader_event *event)
{
    struct coord_ends *ends = arena_zero(process->command_arena, SIM_PARTITIONS_MAX * sizeof *ends);
    size_t count = 0;
    for (int i = 0; i < world->partition_count; i++) {
        const struct sim_partition *partition = &world->partitions[i];
        if (!process_reads(world, process, i)) {
            continue;
        }
        ends[count++] =
            (struct coord_ends){.id = partition->id,
                                .topic_id = strcmp(partition->id.topic, "tags") == 0 ? "t2" : "t1",
                                .low = partition->low,
                                .last_stable = partition->lso,
                                .high = partition->high,
                                .start = partition->low};
    }
    event->result.ends = ends;
    event->result.end_count = count;
}

/* False: not done yet. */
static bool carry_out(struct world *world, struct sim_process *process, struct leader_event *event)
{
    struct sim_command *command = &process->command;
    bool broken = process->broken || process->index == world->broken_member;
    bool store_fails = broken || world_chance(world, world->faults.store_fails);
    if (command->kind == LEADER_INIT_TRANSACTIONS) {
        if (world_chance(world, world->faults.append_fails)) {
            event->result.outcome = ERR_TRANSIENT;
            return true;
        }
        return ledger_init_transactions(world, process);
    }
    if (command->kind == LEADER_APPEND) {
        event->result.outcome = ledger_append_txn(world, process, command->records, command->count,
                                                  &event->result.append_offset);
    } else if (command->kind == LEADER_QUERY_ENDS &&
               world_chance(world, world->faults.append_fails)) {
        event->result.outcome = ERR_TRANSIENT;
    } else if (command->kind == LEADER_QUERY_ENDS) {
        query_ends(world, process, event);
    } else if (command->kind == LEADER_SWAP_POINTER && !broken) {
        event->result.outcome = store_swap(world, command);
    } else if (store_fails) {
        event->result.outcome = ERR_TRANSIENT;
    } else if (command->kind == LEADER_GET_POINTER) {
        get_pointer(world, process, event);
    } else if (command->kind == LEADER_STAGE_MANIFEST) {
        stage(world, process, event);
    } else if (command->kind == LEADER_PUT_MANIFEST) {
        event->result.outcome = put_manifest(world, command);
    } else if (command->kind == LEADER_DELETE_RUN) {
        delete_run(world, process);
    } else if (command->kind == LEADER_DELETE_OBJECTS) {
        for (size_t i = 0; i < command->url_count; i++) {
            audit_deletes_object(world, command->urls[i]);
            store_delete_prefix(&world->store, command->urls[i]);
        }
    } else if (command->kind == LEADER_LIST_OLD_RUNS) {
        struct leader_old_run *runs = arena_zero(process->command_arena, 512 * sizeof *runs);
        event->result.old_runs = runs;
        event->result.old_run_count =
            list_manifests(&world->store, runs, 512, process->command_arena);
    } else if (command->kind == LEADER_LIST_STRAYS) {
        list_strays(world, process, event);
    } else if (command->kind == LEADER_LIST_LEFTOVERS) {
        list_leftovers(world, process, event);
    }
    return true;
}

const char *command_name(enum leader_command_kind kind)
{
    static const char *const names[LEADER_COMMAND_KINDS] = {
        [LEADER_INIT_TRANSACTIONS] = "init", [LEADER_APPEND] = "append",
        [LEADER_QUERY_ENDS] = "ends",        [LEADER_GET_POINTER] = "get",
        [LEADER_STAGE_MANIFEST] = "stage",   [LEADER_PUT_MANIFEST] = "put",
        [LEADER_SWAP_POINTER] = "swap",      [LEADER_DELETE_RUN] = "delete",
        [LEADER_DELETE_OBJECTS] = "delete",  [LEADER_LIST_OLD_RUNS] = "list",
        [LEADER_LIST_STRAYS] = "strays",     [LEADER_LIST_LEFTOVERS] = "leftovers",
    };
    return names[kind] == NULL ? "" : names[kind];
}

/* A word of a story: a command, or the kind of a record that is about to be appended. */
static bool is_about_to(const struct sim_command *command, const char *what)
{
    if (strcmp(command_name(command->kind), what) == 0) {
        return true;
    }
    char kind[40];
    snprintf(kind, sizeof kind, "\"kind\":\"%s\"", what);
    for (size_t i = 0; i < command->count; i++) {
        const struct bytes *value = &command->records[i].value;
        if (value->size > 0 && memmem(value->data, value->size, kind, strlen(kind)) != NULL) {
            return true;
        }
    }
    return false;
}

/* The command, or the kind of the first record to be appended. */
static const char *what_it_is(const struct sim_command *command)
{
    static char text[24];
    const char *kind = command->count > 0 && command->records[0].value.size > 0
                           ? memmem(command->records[0].value.data, command->records[0].value.size,
                                    "\"kind\":\"", 8)
                           : NULL;
    if (kind == NULL) {
        return command->kind == LEADER_APPEND ? "tombstones" : command_name(command->kind);
    }
    snprintf(text, sizeof text, "%.*s", (int)strcspn(kind + 8, "\""), kind + 8);
    return text;
}

void leader_shell_step(struct world *world, struct sim_process *process)
{
    if (!process->command_out || world->now_us < process->command_due_us) {
        return;
    }
    if (process->sleep_before[0] != '\0' && is_about_to(&process->command, process->sleep_before)) {
        process->sleep_before[0] = '\0';
        process->stalled_until_us = INT64_MAX;
        world_trace(world, "%s sleeps", process->name);
        return;
    }
    if (process_crash_point(world, process, "before", what_it_is(&process->command))) {
        return;
    }
    struct leader_event event = {
        .kind = LEADER_EVENT_RESULT,
        .result = {.command = process->command.id, .message = "simulated"}};
    struct arena *arena = process->command_arena; /* of the result, which the step may replace */
    if (!carry_out(world, process, &event)) {
        return;
    }
    coverage_command(process->command.kind, event.result.outcome);
    if (process_crash_point(world, process, "after", what_it_is(&process->command))) {
        return;
    }
    process->command_out = false;
    process->command_arena = arena_new(16 << 10);
    leader_shell_event(world, process, &event);
    arena_free(arena);
}
