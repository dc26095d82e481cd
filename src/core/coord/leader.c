/* The leader of a term, as a pure machine: events, and the duties that follow from the ledger. */
#include "core/coord/leader.h"

#include <stdlib.h>

#include "core/coord/leader_state.h"

/* In this order; the first that has something to do does one thing, and the next step begins again.
 * What is above another must be settled before it: a person's word, then the pointer, then the open
 * build, then a new one, then the broom. */
static const struct {
    const char *name;
    leader_duty duty;
} duties[] = {
    {"hold", leader_duty_hold},         {"compare", leader_duty_compare},
    {"resume", leader_duty_resume},     {"publish", leader_duty_publish},
    {"watch", leader_duty_watch},       {"condemn", leader_duty_condemn},
    {"tidy", leader_duty_tidy},         {"retire", leader_duty_retire},
    {"reclose", leader_duty_reclose},   {"plan", leader_duty_plan},
    {"attempts", leader_duty_attempts}, {"commit", leader_duty_commit},
    {"close", leader_duty_close},       {"old runs", leader_duty_old_runs},
    {"delete", leader_duty_delete},     {"sweep", leader_duty_sweep},
};

enum { CLOCK_BACK_US = 1000000 }; /* less is waited for */

static void advance(struct leader *leader)
{
    if (leader->phase != LEADER_ACTIVE) {
        leader_advance_term(leader);
        return;
    }
    if (!leader_still_leads(leader)) {
        leader_end_term(leader, "another LEADER is on record");
        return;
    }
    if (leader->purpose != FOR_NOTHING || leader->now_us < leader->retry_us) {
        return;
    }
    if (leader->await_offset >= 0) {
        if (fold_end(leader->fold) <= leader->await_offset && !RULE_OFF(18)) {
            return; /* decided on what was read back, never on what was sent */
        }
        leader->await_offset = -1;
    }
    leader_does(leader, "waits for the next window"); /* unless a duty knows better */
    leader->unfit = false;
    for (size_t i = 0; i < LENGTH_OF(duties); i++) {
        if (duties[i].duty(leader)) {
            return;
        }
    }
}

static void keep_pointer(struct leader *leader, const struct leader_pointer *said)
{
    struct leader_seen_pointer *seen = &leader->pointer;
    struct arena *arena = arena_new(4096);
    struct leader_pointer value = *said;
    bool same = seen->arena != NULL && !said->missing &&
                bytes_equal(said->bytes, seen->value.bytes) && said->lineage.size == 0;
    value.bytes = arena_copy(arena, said->bytes);
    value.etag = arena_text(arena, bytes_of_text(said->etag));
    value.run_id = arena_text(arena, bytes_of_text(said->run_id));
    value.newer_run_id = arena_text(arena, bytes_of_text(said->newer_run_id));
    value.lineage = arena_copy(arena, same ? seen->value.lineage : said->lineage);
    if (same && value.manifest_time_us == 0) {
        value.manifest_time_us = seen->value.manifest_time_us;
    }
    arena_free(seen->arena);
    *seen = (struct leader_seen_pointer){.known = true,
                                         .asked_us = leader->command_asked_us,
                                         .asked_end = leader->command_asked_end,
                                         .value = value,
                                         .arena = arena};
}

static int compare_ends(const void *a, const void *b)
{
    return partition_id_compare(((const struct coord_ends *)a)->id,
                                ((const struct coord_ends *)b)->id);
}

static void keep_ends(struct leader *leader, const struct coord_ends *ends, size_t count)
{
    if (count > PARTITIONS_MAX) {
        leader_alert(leader,
                     "the topics have %zu partitions together, at most %d are possible: no build "
                     "is begun",
                     count, PARTITIONS_MAX);
        leader_does(leader, "cannot build: the topics have too many partitions");
        leader_retry_later(leader);
        return;
    }
    struct leader_seen_ends *seen = &leader->ends;
    arena_free(seen->arena);
    *seen = (struct leader_seen_ends){.known = true,
                                      .asked_us = leader->command_asked_us,
                                      .asked_end = leader->command_asked_end,
                                      .count = count,
                                      .arena = arena_new(4096)};
    seen->list = arena_zero(seen->arena, (count + 1) * sizeof *seen->list);
    for (size_t i = 0; i < count; i++) {
        seen->list[i] = ends[i];
        seen->list[i].id.topic = arena_text(seen->arena, bytes_of_text(ends[i].id.topic));
        seen->list[i].topic_id = arena_text(seen->arena, bytes_of_text(ends[i].topic_id));
    }
    qsort(seen->list, count, sizeof *seen->list, compare_ends);
}

/* Records: done, surely not done, or nobody knows. */
static void on_appended(struct leader *leader, const struct leader_event *event)
{
    enum err_kind outcome = event->result.outcome;
    if (outcome == ERR_NONE) {
        leader->await_offset = event->result.append_offset;
    } else if (outcome == ERR_AMBIGUOUS && !RULE_OFF(19)) {
        /* R19: what lies below the next LEADER is the truth; looking it up here proves nothing */
        leader_end_term(leader, "the outcome of an append is not known");
    } else if (outcome == ERR_FENCED) {
        leader_end_term(leader, "fenced");
    } else if (leader->phase == LEADER_INIT) {
        leader_end_term(leader, "LEADER could not be appended");
    } else {
        if (outcome == ERR_INPUT) { /* too large: it will be the next time, too */
            leader_alert(leader, "the ledger refuses a record: %s", event->result.message);
        }
        leader_trace(leader, "append failed: %s", event->result.message);
        leader_condemn_failed(leader);
        leader_retry_later(leader);
    }
}

/* Something that is done again later; several times in a row is a reason of our own to step down
 * (R22). */
static void on_failed(struct leader *leader, const struct leader_event *event, const char *what)
{
    leader_trace(leader, "%s failed: %s", what, event->result.message);
    leader_does(leader, leader_text(leader, "tries %s again: %s", what, event->result.message));
    leader_retry_later(leader);
    if (leader->failures > leader->settings->max_attempts && !RULE_OFF(220)) {
        leader_step_down(leader, leader_text(leader, "%s: %s", what, event->result.message));
    }
}

static void on_swapped(struct leader *leader, const struct leader_event *event)
{
    enum err_kind outcome = event->result.outcome;
    if (outcome != ERR_NONE && outcome != ERR_AMBIGUOUS && outcome != ERR_CONFLICT) {
        on_failed(leader, event, "the pointer"); /* else the pointer is looked at again, that is all
                                                  */
    }
}

static void on_result(struct leader *leader, const struct leader_event *event)
{
    if (event->result.command != leader->command || leader->purpose == FOR_NOTHING) {
        return; /* of a term that is over */
    }
    enum leader_purpose purpose = leader->purpose;
    bool ok = event->result.outcome == ERR_NONE;
    leader->purpose = FOR_NOTHING;
    switch (purpose) {
    case FOR_TRANSACTIONS:
        if (!ok) {
            leader_end_term(leader, "init_transactions failed");
        }
        break;
    case FOR_LEADER:
    case FOR_RECORDS:
    case FOR_COMMIT:
        on_appended(leader, event);
        break;
    case FOR_ENDS:
        if (ok) {
            keep_ends(leader, event->result.ends, event->result.end_count);
        } else {
            leader_retry_later(leader);
        }
        break;
    case FOR_POINTER:
        if (ok) {
            keep_pointer(leader, &event->result.pointer);
        } else {
            on_failed(leader, event, "the pointer");
        }
        break;
    case FOR_STAGE:
        leader_staged(leader, event);
        break;
    case FOR_MANIFEST:
        if (ok) {
            leader->manifests_put++;
        } else {
            on_failed(leader, event, "the manifest");
        }
        break;
    case FOR_SWAP:
        on_swapped(leader, event);
        break;
    case FOR_DELETE:
        leader_deleted(leader, ok);
        break;
    case FOR_OLD_RUNS:
        if (ok) {
            leader_old_runs(leader, event->result.old_runs, event->result.old_run_count);
        } else {
            leader_old_runs_failed(leader);
        }
        break;
    case FOR_STRAYS:
        /* a listing that fails holds nothing up: what the ledger names is condemned alone */
        leader_strays(leader, ok ? event->result.strays : NULL, ok ? event->result.stray_count : 0);
        break;
    case FOR_LEFTOVERS:
        if (ok) {
            leader_leftovers(leader, event->result.leftovers, event->result.leftover_count);
        }
        break;
    case FOR_NOTHING:
        break;
    }
}

static void on_record(struct leader *leader, const struct leader_event *event)
{
    struct err err = {0};
    if (!fold_apply(leader->fold, event->record.offset, event->record.timestamp_us,
                    event->record.key, event->record.value, &err)) {
        leader_alert(leader, "%s", err.message);
    }
}

void leader_step(struct leader *leader, const struct leader_event *event, struct leader_out *out)
{
    arena_reset(out->arena);
    buf_clear(&out->trace);
    out->commands = NULL;
    out->command_count = 0;
    leader->out = out;
    bool clock_went_back = event->now_us < leader->now_us - CLOCK_BACK_US;
    if (event->now_us > leader->now_us || clock_went_back) {
        leader->now_us = event->now_us;
    }
    if (clock_went_back && leader->phase != LEADER_OFF) {
        /* every time that it waits for is of another clock */
        leader_end_term(leader, "the clock was set back");
    }
    switch (event->kind) {
    case LEADER_EVENT_ELECTED:
        leader_elected(leader);
        break;
    case LEADER_EVENT_UNELECTED:
        leader_unelected(leader);
        break;
    case LEADER_EVENT_RECORD:
        on_record(leader, event);
        break;
    case LEADER_EVENT_RESULT:
        on_result(leader, event);
        break;
    case LEADER_EVENT_LEDGER_END:
    case LEADER_EVENT_TICK:
        break; /* time and what was read say all */
    case LEADER_EVENT_KINDS:
        CHECK(false);
    }
    advance(leader);
    leader->out = NULL;
}

struct leader *leader_new(const struct coord_settings *borrowed_settings, const char *member,
                          uint64_t seed)
{
    CHECK(message_name_ok(member));
    struct leader *leader = calloc(1, sizeof *leader);
    CHECK(leader != NULL);
    leader->settings = borrowed_settings;
    leader_set_name(leader->member, member);
    rng_init(&leader->rng, seed);
    leader->fold = fold_new();
    leader->term = -1;
    leader->await_offset = -1;
    leader_does(leader, "does not lead");
    return leader;
}

struct leader *leader_free(struct leader *leader)
{
    if (leader != NULL) {
        fold_free(leader->fold);
        arena_free(leader->pointer.arena);
        arena_free(leader->ends.arena);
        arena_free(leader->staged_arena);
        free(leader);
    }
    return NULL;
}

enum leader_phase leader_phase(const struct leader *leader)
{
    return leader->phase;
}

const char *leader_phase_name(enum leader_phase phase)
{
    static const char *const names[] = {"off", "init", "active", "resting"};
    return names[phase];
}

int64_t leader_term(const struct leader *leader)
{
    return leader->term;
}

const char *leader_doing(const struct leader *leader)
{
    return leader->doing;
}

bool leader_unfit(const struct leader *leader)
{
    return leader->phase == LEADER_ACTIVE && leader->unfit;
}

const struct fold *leader_fold(const struct leader *leader)
{
    return leader->fold;
}
