/* A member of the source group, as a pure machine: events, and what follows from the ledger. */
#include "core/coord/member.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/coord/member_state.h"

enum { PROGRESS_SAID_MAX = 8 << 20, MEMBER_SLEPT_US = 1000 * 1000 /* of a TICK every 100 ms */ };

static void on_record(struct member *member, const struct member_event *event)
{
    struct err err = {0};
    if (event->record.value.data == NULL && member_is_own_progress(member, event->record.key)) {
        buf_clear(&member->progress_said); /* it was retired, and is here: it says so again */
    }
    if (!fold_apply(member->fold, event->record.offset, event->record.timestamp_us,
                    event->record.key, event->record.value, &err)) {
        member_trace(member, "ignored: %s", err.message);
    }
}

static void apply(struct member *member, const struct member_event *event)
{
    switch (event->kind) {
    case MEMBER_EVENT_HELD:
        member_held(member, event);
        break;
    case MEMBER_EVENT_ASSIGNED:
        member_assigned(member, event);
        break;
    case MEMBER_EVENT_REVOKED:
        member_revoked(member, event);
        break;
    case MEMBER_EVENT_PROGRESS:
        member_readings(member, event);
        break;
    case MEMBER_EVENT_SEALED:
        member_sealed(member, event);
        break;
    case MEMBER_EVENT_PART_STORED:
        member_part_stored(member, event);
        break;
    case MEMBER_EVENT_HANDED_OVER:
        member_handed_over(member, event);
        break;
    case MEMBER_EVENT_ADOPTED:
        member_adopted(member, event);
        break;
    case MEMBER_EVENT_BUILT:
        member_built(member, event);
        break;
    case MEMBER_EVENT_APPENDED:
        member_appended(member, event->appended.command, event->appended.outcome);
        break;
    case MEMBER_EVENT_RECORD:
        on_record(member, event);
        break;
    case MEMBER_EVENT_LEDGER_END:
        member->caught_up = true;
        break;
    case MEMBER_EVENT_STOP:
        member->stopping = true;
        member_hand_over_all(member);
        break;
    case MEMBER_EVENT_TICK:
        break;
    case MEMBER_EVENT_KINDS:
        CHECK(false);
    }
}

void member_step(struct member *member, const struct member_event *event, struct member_out *out)
{
    arena_reset(out->arena);
    buf_clear(&out->trace);
    out->commands = NULL;
    out->command_count = 0;
    member->out = out;
    member->command_capacity = 0;
    /* only spans of time count here: a clock that is set back goes on from where it was */
    if (event->now_us + member->clock_lost_us < member->now_us) {
        member->clock_lost_us = member->now_us - event->now_us;
    }
    int64_t passed_us = event->now_us + member->clock_lost_us - member->now_us;
    member->now_us += passed_us;
    if (passed_us > MEMBER_SLEPT_US) {
        member_slept(member);
    }
    apply(member, event);
    if (member->caught_up && !member->stopping && fold_open_close(member->fold) == NULL) {
        member_does(member, "reads"); /* unless what follows knows better */
    }
    member_follow_head(member);
    member_hand_over(member);
    member_start_partitions(member);
    member_pause(member);
    member_seal(member);
    member_build(member);
    member_progress(member);
    member_goodbye(member);
    member_flush(member);
    member->out = NULL;
}

void member_note(struct member *member, const char *paused, const char *leading)
{
    member->noted = true;
    snprintf(member->paused, sizeof member->paused, "%s", paused);
    snprintf(member->leading, sizeof member->leading, "%s", leading);
}

struct member *member_new(const struct coord_settings *borrowed_settings, const char *member,
                          uint64_t incarnation, uint64_t seed)
{
    CHECK(message_name_ok(member));
    struct member *made = calloc(1, sizeof *made);
    CHECK(made != NULL);
    made->settings = borrowed_settings;
    memcpy(made->name, member, strlen(member) + 1);
    made->incarnation = incarnation;
    made->generation = -1;
    made->fold = fold_new();
    made->seal.close_offset = -1;
    made->seal.promised_offset = -1;
    made->refused_offset = -1;
    made->head_offset = -1;
    made->published_offset = -1;
    rng_init(&made->rng, seed);
    buf_init(&made->progress_said, PROGRESS_SAID_MAX);
    member_does(made, "reads the ledger");
    return made;
}

struct member *member_free(struct member *member)
{
    if (member != NULL) {
        member_partitions_done(member);
        member_outbox_done(member);
        fold_free(member->fold);
        arena_free(member->seal.arena);
        buf_done(&member->progress_said);
        free(member->run.attempts);
        free(member);
    }
    return NULL;
}

const struct fold *member_fold(const struct member *member)
{
    return member->fold;
}

bool member_ready(const struct member *member)
{
    return member->caught_up;
}

bool member_left(const struct member *member)
{
    return member->left;
}

const char *member_doing(const struct member *member)
{
    return member->doing;
}
