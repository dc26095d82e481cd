/* What must be true after every step, by an oracle that knows nothing of how the machines decide.
 */
#include <stdlib.h>

#include "tests/sim/audit.h"

struct audit *audit_new(void)
{
    struct audit *audit = calloc(1, sizeof *audit);
    CHECK(audit != NULL);
    audit->fold = fold_new();
    audit->head = calloc(1, sizeof *audit->head);
    CHECK(audit->head != NULL);
    return audit;
}

struct audit *audit_free(struct audit *audit)
{
    if (audit != NULL) {
        fold_free(audit->fold);
        free(audit->head);
        audit_condemned_done(audit);
        for (size_t i = 0; i < audit->run_count; i++) {
            free(audit->runs[i].after);
        }
        free(audit);
    }
    return NULL;
}

uint64_t audit_published(const struct world *world)
{
    return world->audit->moves;
}

uint64_t audit_commits(const struct world *world)
{
    return world->audit->commits;
}

static struct run *find_run(struct audit *audit, const char *run_id)
{
    for (size_t i = audit->run_count; i-- > 0;) {
        if (strcmp(audit->runs[i].run_id, run_id) == 0) {
            return &audit->runs[i];
        }
    }
    return NULL;
}

static void save_run(struct world *world, const struct message_commit *commit, bool snapshot)
{
    struct audit *audit = world->audit;
    if (audit->run_count == RUNS_MAX) {
        world_fail(world, "more than %d commits", RUNS_MAX);
        return;
    }
    struct run *run = &audit->runs[audit->run_count++];
    snprintf(run->run_id, sizeof run->run_id, "%s", commit->run_id);
    run->build = commit->build;
    run->snapshot = snapshot;
    run->after = malloc(sizeof *run->after);
    CHECK(run->after != NULL);
    *run->after = *audit->head;
}

/* ---- commits ---- */

static void on_build(struct world *world, const struct message_commit *commit)
{
    struct audit *audit = world->audit;
    const struct fold_entry *entry = fold_open_close(audit->fold);
    if (entry == NULL || entry->message.close.build != commit->build) {
        world_fail(world, "COMMIT of build %llu without its CLOSE",
                   (unsigned long long)commit->build);
        return;
    }
    const struct message_close *close = &entry->message.close;
    memset(audit->head->stored, 0, sizeof audit->head->stored);
    size_t expected = 0;
    for (size_t i = 0; i < close->partition_count; i++) {
        int32_t p = partition_index(world, close->partitions[i].id);
        int64_t seen_end = close->partitions[i].seen_end;
        if (audit->closed_again[p] && audit->closed_build == commit->build &&
            close->partitions[i].cut > seen_end) {
            world_fail(world, "%s goes on in partition %d, which was made again before its CLOSE",
                       commit->run_id, p);
        }
        oracle_find_log(world, &commit->partitions[i], p);
        oracle_skip(world, commit, &close->partitions[i], &commit->partitions[i].account, p);
        expected += oracle_take_partition(world, close, &close->partitions[i], p);
        audit->head->cut[p] = close->partitions[i].cut;
        audit->head->known[p] = true;
        const struct commit_partition *said = &commit->partitions[i];
        if (said->cut != close->partitions[i].cut ||
            said->tail_from != oracle_tail_of(world, p, said->cut)) {
            world_fail(world,
                       "COMMIT %s: cut or tail_from of partition %d is not the CLOSE's: tail %lld, "
                       "not %lld",
                       commit->run_id, p, (long long)said->tail_from,
                       (long long)oracle_tail_of(world, p, said->cut));
        }
        oracle_check_account(world, said, p, seen_end);
    }
    for (size_t i = 0; i < close->topic_count; i++) {
        oracle_compare_logs(world, close->topics[i].name);
    }
    if (commit->kind == COMMIT_BUILD) {
        oracle_check_content(world, commit, expected);
    } else if (expected != 0) {
        world_fail(world, "build %llu is empty, and %zu rows are of it",
                   (unsigned long long)commit->build, expected);
    }
    audit->head->build = commit->build;
    audit->commits++;
    snprintf(audit->head->run_id, sizeof audit->head->run_id, "%s", commit->run_id);
    save_run(world, commit, commit->kind == COMMIT_BUILD);
}

/* The head is now what another run left. */
static void on_moved_head(struct world *world, const struct message_commit *commit)
{
    struct audit *audit = world->audit;
    struct run *run = find_run(audit, commit->run_id);
    if (run != NULL) {
        *audit->head = *run->after;
    } else if (commit->has_snapshot || commit->partition_count > 0) {
        world_fail(world, "head %s was never committed", commit->run_id);
    }
    audit->adopted = commit->kind == COMMIT_RESUMED;
    audit->went_back = audit->went_back || commit->kind == COMMIT_RESUMED;
    audit->head->build = commit->build;
    snprintf(audit->head->run_id, sizeof audit->head->run_id, "%s", commit->run_id);
}

/* ---- the ledger's records, as they become visible ---- */

/* R26: who leads has the broker's time, but for what he sent long ago. */
static void check_close_time(struct world *world, const struct message_close *close)
{
    int64_t apart = close->time_us - world->now_us;
    if (!world->clocks_set && !world->story.on && (apart > 30000000 || apart < -30000000)) {
        world_fail(world, "build %llu was closed by a clock that is %lld us off",
                   (unsigned long long)close->build, (long long)apart);
    }
}

static void check_close(struct world *world, const struct message_close *close)
{
    struct audit *audit = world->audit;
    const struct message_commit *head = fold_head(audit->fold);
    if (strcmp(close->parent, head == NULL ? "" : head->run_id) != 0) {
        return; /* decided on an older head: void */
    }
    bool again = audit->closed_build == close->build &&
                 strcmp(audit->closed_parent, close->parent) == 0;
    if (!again) { /* else it is the same one, under other settings */
        check_close_time(world, close);
        again_find(world, audit->closed_again);
        audit_close(world, close);
    }
    audit->closed_build = close->build;
    snprintf(audit->closed_parent, sizeof audit->closed_parent, "%s", close->parent);
    for (size_t i = 0; i < close->partition_count; i++) {
        const struct close_partition *asked = &close->partitions[i];
        int32_t p = partition_index(world, asked->id);
        if (audit->head->known[p] && asked->seen_end != audit->head->cut[p]) {
            world_fail(world, "build %llu starts at %lld, and its parent ended at %lld",
                       (unsigned long long)close->build, (long long)asked->seen_end,
                       (long long)audit->head->cut[p]);
        }
        if (asked->cut > world->partitions[p].lso && !world->made_again) {
            world_fail(world, "a cut above what can be read");
        }
        if (again && audit->closed_cut[p] != asked->cut) {
            world_fail(world, "the cut of build %llu was changed",
                       (unsigned long long)close->build);
        }
        audit->closed_cut[p] = asked->cut;
    }
}

/* The decisions, as a story tells them. */
static void tell(struct world *world, const struct message *message)
{
    static const char *const commits[] = {"COMMIT", "COMMIT empty", "COMMIT adopted",
                                          "COMMIT resumed"};
    switch (message->kind) {
    case MESSAGE_LEADER:
        world_event(world, "LEADER %s", message->leader.member);
        break;
    case MESSAGE_CLOSE:
        world_event(world, "CLOSE b%llu", (unsigned long long)message->close.build);
        break;
    case MESSAGE_COMMIT:
        world_event(world, "%s b%llu", commits[message->commit.kind],
                    (unsigned long long)message->commit.build);
        break;
    case MESSAGE_ABORTED:
        world_event(world, "ABORTED b%llu", (unsigned long long)message->aborted.build);
        break;
    case MESSAGE_HOLD:
    case MESSAGE_HELD:
    case MESSAGE_RESUME:
    case MESSAGE_CONDEMN:
    case MESSAGE_SPARE:
    case MESSAGE_REFUSED:
    case MESSAGE_GATED:
    case MESSAGE_ACCEPT:
        world_event(world, "%s", message_kind_name(message->kind));
        break;
    case MESSAGE_PUBLISHED:
        world_event(world, "PUBLISHED b%llu", (unsigned long long)message->published.build);
        break;
    case MESSAGE_PROGRESS:
    case MESSAGE_READY:
    case MESSAGE_PLAN:
    case MESSAGE_PART:
    case MESSAGE_HANDOVER:
    case MESSAGE_ATTEMPT:
    case MESSAGE_TRIGGER:
    case MESSAGE_SKIP:
    case MESSAGE_KINDS:
        break;
    }
}

static void on_message(struct world *world, const struct message *message)
{
    struct audit *audit = world->audit;
    tell(world, message);
    coverage_record(message->kind);
    attempts_step(world, message);
    audit_record(world, message);
    if (message->kind == MESSAGE_CONDEMN) {
        audit_condemned(world, &message->condemn);
    }
    if (message->kind == MESSAGE_PUBLISHED) {
        struct run *run = find_run(audit, message->published.run_id);
        if (run != NULL) {
            run->published = true;
        }
    }
    if (message->kind == MESSAGE_CLOSE) {
        check_close(world, &message->close);
    } else if (message->kind == MESSAGE_COMMIT) {
        const struct message_commit *commit = &message->commit;
        const struct message_commit *head = fold_head(audit->fold);
        bool is_build = commit->kind == COMMIT_BUILD || commit->kind == COMMIT_EMPTY;
        if (is_build && (strcmp(commit->parent, head == NULL ? "" : head->run_id) != 0 ||
                         commit->build != fold_next_build(audit->fold))) {
            world_fail(world, "COMMIT %s does not stand on the head", commit->run_id);
        } else if (is_build) {
            on_build(world, commit);
        } else {
            on_moved_head(world, commit);
            world->person.moved = commit->kind == COMMIT_ADOPTED && world->person.moved;
        }
    }
}

void audit_read(struct world *world)
{
    struct audit *audit = world->audit;
    const struct sim_record *record = NULL;
    while (!world->failed && (record = ledger_read(&world->ledger, audit->next)) != NULL) {
        audit->next = record->offset + 1;
        struct bytes key = bytes_of_text(record->key);
        struct bytes value = bytes_of_text(record->value);
        struct err err = {0};
        if (record->value == NULL && strncmp(record->key, "progress/", 9) == 0) {
            coverage_chance(CHANCE_RETIRED);
        }
        if (record->value != NULL) {
            struct arena *arena = arena_new(4096);
            struct message message;
            if (!message_decode(key, value, arena, &message, &err)) {
                world_fail(world, "a record that cannot be read: %s", err.message);
            } else {
                on_message(world, &message);
            }
            arena_free(arena);
        }
        if (!fold_apply(audit->fold, record->offset, record->timestamp_us, key, value, &err)) {
            world_fail(world, "a record of a fenced leader is visible: %s", err.message);
        }
    }
}

/* What is left of the ledger is the truth now. Runs stay known: their manifests are in the store.
 */
void audit_ledger_lost(struct world *world)
{
    struct audit *audit = world->audit;
    fold_clear(audit->fold);
    audit->next = 0;
    const struct sim_record *record = NULL;
    while ((record = ledger_read(&world->ledger, audit->next)) != NULL) {
        struct err err = {0};
        audit->next = record->offset + 1;
        if (!fold_apply(audit->fold, record->offset, record->timestamp_us,
                        bytes_of_text(record->key), bytes_of_text(record->value), &err)) {
            world_fail(world, "%s", err.message);
        }
    }
    memset(audit->head, 0, sizeof *audit->head);
    audit->closed_build = 0;
    const struct message_commit *head = fold_head(audit->fold);
    if (head != NULL) {
        on_moved_head(world, head);
    }
    audit_compare_lost(world);
}

/* ---- the pointer ---- */

static void run_of(const char *pointer, char *run_id, size_t size)
{
    const char *at = strstr(pointer, "\"run_id\":\"");
    snprintf(run_id, size, "%s", at == NULL ? "" : at + 10);
    run_id[strcspn(run_id, "\"")] = '\0';
}

void audit_pointer_put(struct world *world, const char *before, const char *bytes)
{
    struct audit *audit = world->audit;
    audit_read(world);
    char run_id[128];
    char old_id[128];
    run_of(bytes, run_id, sizeof run_id);
    run_of(before, old_id, sizeof old_id);
    if (strcmp(before, bytes) == 0) {
        return;
    }
    audit->moves++;
    coverage_chance(CHANCE_PUBLISHED);
    const struct run *run = find_run(audit, run_id);
    const struct run *old = find_run(audit, old_id);
    if (run == NULL || !run->snapshot) {
        world_fail(world, "the pointer names %s, which is not committed", run_id);
        return;
    }
    if (!world->settings.store_cas) {
        return; /* it may go back, for at most pointer_check (R14) */
    }
    if (world->person.moved) {
        world_fail(world, "the operator's pointer was overwritten without a RESUME");
    }
    if (old != NULL && run->build <= old->build && !audit->adopted) {
        world_fail(world, "the pointer went back from %s to %s", old_id, run_id);
    }
    audit->adopted = false;
    const struct fold_entry *hold = fold_hold(audit->fold);
    if (hold != NULL && hold->message.kind == MESSAGE_HELD &&
        strcmp(hold->message.hold.may_appear, run_id) != 0) {
        world_fail(world, "%s appeared under HELD", run_id);
    }
}

/* The manifest of a listed run and all that it names. */
static const char *missing_of(const struct world *world, const char *run_id, char *text,
                              size_t size)
{
    for (size_t i = 0; i < SIM_BUCKETS; i++) {
        for (const struct sim_object *object = world->store.buckets[i]; object != NULL;
             object = object->next) {
            const char *run =
                strncmp(object->name, "manifests/", 10) == 0 ? strchr(object->name, '_') : NULL;
            if (run == NULL || strcmp(run + 1, run_id) != 0) {
                continue;
            }
            const char *line = strchr(strchr(object->content, '\n') + 1, '\n') + 1;
            while (*line != '\0') {
                snprintf(text, size, "%.*s", (int)strcspn(line, "\n"), line);
                line += strcspn(line, "\n") + 1;
                if (store_get(&world->store, text) == NULL) {
                    return text;
                }
            }
            return NULL;
        }
    }
    snprintf(text, size, "its manifest");
    return text;
}

static void check_pointer(struct world *world)
{
    const char *pointer = store_get(&world->store, "_CURRENT");
    char run_id[128];
    char text[300];
    if (pointer == NULL) {
        return;
    }
    run_of(pointer, run_id, sizeof run_id);
    const char *missing = missing_of(world, run_id, text, sizeof text);
    if (missing != NULL) {
        world_fail(world, "the pointer names %s, and %s is gone", run_id, missing);
    }
}

/* R11: what a COMMIT names is what it was (until the run is deleted). */
static void check_staged(struct world *world)
{
    const struct message_commit *head = fold_head(world->audit->fold);
    char hash[17];
    if (head == NULL || !head->has_snapshot || head->snapshot.staged_url[0] == '\0') {
        return;
    }
    const char *staged = store_get(&world->store, head->snapshot.staged_url);
    if (staged != NULL && strcmp(store_hash(staged, hash), head->snapshot.sha256) != 0) {
        world_fail(world, "%s is not what COMMIT %s names", head->snapshot.staged_url,
                   head->run_id);
    }
}

static void check_listing(struct world *world)
{
    for (size_t i = 0; i < SIM_BUCKETS; i++) {
        for (const struct sim_object *object = world->store.buckets[i]; object != NULL;
             object = object->next) {
            if (strncmp(object->name, "manifests/", 10) == 0 &&
                find_run(world->audit, strchr(object->name, '_') + 1) == NULL) {
                world_fail(world, "%s is listed and was never committed", object->name);
            }
        }
    }
}

void audit_step(struct world *world)
{
    audit_read(world);
    check_pointer(world);
    if (world->now_us / SIM_STEP_US % 16 == 0) {
        check_listing(world);
        check_staged(world);
    }
}

const char *audit_older_run(const struct world *world)
{
    struct audit *audit = world->audit;
    const char *pointer = store_get(&world->store, "_CURRENT");
    char current[128] = "";
    char text[300];
    if (pointer != NULL) {
        run_of(pointer, current, sizeof current);
    }
    const struct run *now = find_run(audit, current);
    for (size_t i = audit->run_count; i-- > 0;) {
        const struct run *run = &audit->runs[i];
        const struct message_condemn *condemned = fold_condemned(audit->fold, run->run_id);
        if (run->snapshot && now != NULL && run->build < now->build &&
            (condemned == NULL || !condemned->whole_run) &&
            missing_of(world, run->run_id, text, sizeof text) == NULL) {
            return run->run_id;
        }
    }
    return NULL;
}

const char *audit_run_of_build(const struct world *world, uint64_t build)
{
    const struct audit *audit = world->audit;
    for (size_t i = audit->run_count; i-- > 0;) {
        if (audit->runs[i].build == build) {
            return audit->runs[i].run_id;
        }
    }
    return NULL;
}

uint64_t audit_pointer_build(const struct world *world)
{
    const char *pointer = store_get(&world->store, "_CURRENT");
    char run_id[128] = "";
    if (pointer != NULL) {
        run_of(pointer, run_id, sizeof run_id);
    }
    const struct run *run = find_run(world->audit, run_id);
    return run == NULL ? 0 : run->build;
}

/* Of a published build, or of an empty one, whose chain ends in what is published. */
bool audit_is_published_cut(struct world *world, int32_t partition, int64_t cut)
{
    audit_read(world); /* the member may have been faster */
    const struct audit *audit = world->audit;
    for (size_t i = audit->run_count; i-- > 0;) {
        const struct run *run = &audit->runs[i];
        if ((run->published || !run->snapshot) && run->after->cut[partition] == cut) {
            return true;
        }
    }
    return false;
}

int64_t audit_pointer_tail(const struct world *world, int32_t partition)
{
    const char *pointer = store_get(&world->store, "_CURRENT");
    char run_id[128] = "";
    if (pointer != NULL) {
        run_of(pointer, run_id, sizeof run_id);
    }
    const struct run *run = find_run(world->audit, run_id);
    return run == NULL || !run->after->known[partition]
               ? -1
               : oracle_tail_in(world, run->after, partition, run->after->cut[partition]);
}

bool audit_went_back(const struct world *world)
{
    return world->audit->went_back;
}

const struct fold *audit_fold(const struct world *world)
{
    return world->audit->fold;
}

bool audit_settled(const struct world *world)
{
    const struct fold *fold = world->audit->fold;
    const struct message_commit *head = fold_head(fold);
    return head != NULL && fold_head_published(fold) && fold_hold(fold) == NULL &&
           fold_resume(fold) == NULL && fold_open_close(fold) == NULL;
}
