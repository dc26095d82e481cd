/* Carries out one command of the member machine. */
#include "consumer/member/member_command.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/os/clock.h"
#include "adapters/os/log.h"
#include "adapters/os/os_random.h"
#include "consumer/member/handover_hands.h"
#include "consumer/member/member_steps.h"

enum { COMMAND_KAFKA_MS = 30 * 1000 };

void member_hands_init(struct member_hands *hands, const struct member_thread_settings *settings,
                       struct queue *built)
{
    uint64_t incarnation = (uint64_t)clock_now_us();
    *hands = (struct member_hands){
        .settings = settings,
        .member = member_new(settings->coord, settings->member_id, incarnation, os_random_u64()),
        .incarnation = incarnation,
        .arena = arena_new(16 * 1024),
    };
    member_work_init(&hands->work, &settings->work, settings->member_id, incarnation, built);
}

void member_hands_done(struct member_hands *hands)
{
    member_work_done(&hands->work);
    ledger_reader_free(hands->reader);
    ledger_writer_free(hands->writer);
    source_query_free(hands->query);
    member_free(hands->member);
    arena_free(hands->arena);
    free(hands->waiting);
    free(hands->seeks);
    free(hands->adopted);
}

bool member_hands_open(struct member_hands *hands, struct err *err)
{
    if (hands->query == NULL) {
        TRY(source_query_new(&hands->settings->source, &hands->query, err));
    }
    if (hands->writer == NULL) {
        TRY(ledger_writer_new(&hands->settings->ledger, &hands->writer, err));
    }
    return hands->reader != NULL ||
           ledger_reader_new(&hands->settings->ledger, 0, &hands->reader, err);
}

static void note_refusal(struct member_hands *hands, const struct err *err)
{
    if (err->kind == ERR_SETTINGS) {
        hands->refused = *err;
    }
}

static void append(struct member_hands *hands, const struct member_command *command,
                   struct member_event *answer)
{
    size_t count = command->append.count;
    struct ledger_record *records = arena_zero(hands->arena, (count + 1) * sizeof *records);
    for (size_t i = 0; i < count; i++) {
        records[i].key = command->append.records[i].key;
        records[i].value = command->append.records[i].value;
        records[i].is_tombstone = command->append.records[i].tombstone;
    }
    struct err err = {0};
    bool done = ledger_append(hands->writer, records, count, COMMAND_KAFKA_MS, NULL, &err);
    if (!done) {
        log_failure(LOG_WARN, "member", &err, "the ledger did not take a record");
        note_refusal(hands, &err);
    } else {
        member_steps_pass(records, count);
    }
    *answer = (struct member_event){.kind = MEMBER_EVENT_APPENDED};
    answer->appended.command = command->id;
    answer->appended.outcome = done ? ERR_NONE : err.kind;
}

static struct partition_id copy_id(struct arena *arena, struct partition_id id)
{
    return (struct partition_id){arena_text(arena, bytes_of_text(id.topic)), id.number};
}

static const struct cut_step *copy_steps(struct arena *arena, const struct cut_step *steps,
                                         size_t count)
{
    struct cut_step *copy = arena_zero(arena, (count + 1) * sizeof *copy);
    if (count > 0) {
        memcpy(copy, steps, count * sizeof *copy);
    }
    return copy;
}

static void seal(struct member_hands *hands, const struct member_command *command)
{
    struct mail *mail = mail_new(MAIL_SEAL);
    size_t count = command->seal.count;
    struct member_seal_partition *partitions =
        arena_zero(mail->arena, (count + 1) * sizeof *partitions);
    for (size_t i = 0; i < count; i++) {
        const struct member_seal_partition *from = &command->seal.partitions[i];
        partitions[i] = *from;
        partitions[i].id = copy_id(mail->arena, from->id);
        partitions[i].steps = copy_steps(mail->arena, from->steps, from->step_count);
    }
    mail->seal.build = command->seal.build;
    mail->seal.seal = command->seal.seal;
    mail->seal.partitions = partitions;
    mail->seal.count = count;
    member_hands_records(hands, command, mail);
    mail_send(hands->settings->intake, mail);
}

static void forget(struct member_hands *hands, const struct member_command *command)
{
    struct mail *mail = mail_new(MAIL_FORGET);
    size_t count = command->forget.count;
    struct member_forget *partitions = arena_zero(mail->arena, (count + 1) * sizeof *partitions);
    for (size_t i = 0; i < count; i++) {
        const struct member_forget *from = &command->forget.partitions[i];
        partitions[i] = *from;
        partitions[i].id = copy_id(mail->arena, from->id);
        partitions[i].steps = copy_steps(mail->arena, from->steps, from->step_count);
    }
    mail->forget.partitions = partitions;
    mail->forget.count = count;
    mail->forget.run = arena_text(mail->arena, bytes_of_text(command->forget.run_id));
    mail_send(hands->settings->intake, mail);
    member_work_forget(&hands->work);
}

static void pause_partitions(struct member_hands *hands, const struct member_command *command)
{
    struct mail *mail = mail_new(command->kind == MEMBER_PAUSE ? MAIL_PAUSE : MAIL_RESUME);
    struct source_partition *partitions =
        arena_zero(mail->arena, (command->pause.count + 1) * sizeof *partitions);
    size_t count = 0;
    for (size_t i = 0; i < command->pause.count; i++) {
        count += member_hands_partition(hands, command->pause.partitions[i], &partitions[count]);
    }
    mail->partitions.partitions = partitions;
    mail->partitions.count = count;
    mail_send(hands->settings->poll, mail);
}

static void mirror(struct member_hands *hands, const struct member_command *command)
{
    struct mail *mail = mail_new(MAIL_MIRROR);
    struct source_offset *offsets =
        arena_zero(mail->arena, (command->mirror.count + 1) * sizeof *offsets);
    size_t count = 0;
    for (size_t i = 0; i < command->mirror.count; i++) {
        if (member_hands_partition(hands, command->mirror.offsets[i].id,
                                   &offsets[count].partition)) {
            offsets[count++].offset = command->mirror.offsets[i].cut;
        }
    }
    mail->mirror.offsets = offsets;
    mail->mirror.count = count;
    mail->mirror.rewind = command->mirror.may_go_back;
    mail_send(hands->settings->poll, mail);
}

bool member_command_run(struct member_hands *hands, const struct member_command *command,
                        struct member_event *ret_answer)
{
    switch (command->kind) {
    case MEMBER_START_PARTITION:
        member_hands_start(hands, command);
        return false;
    case MEMBER_STOP_PARTITION:
        member_hands_stop(hands, command);
        return false;
    case MEMBER_APPEND:
        append(hands, command, ret_answer);
        return true;
    case MEMBER_HAND_OVER:
        handover_hands_ask(hands->settings, command);
        return false;
    case MEMBER_ADOPT:
        handover_hands_fetch(hands->settings, &hands->work, command);
        return false;
    case MEMBER_SEAL:
        seal(hands, command);
        return false;
    case MEMBER_STORE_PART:
        return !member_work_part(&hands->work, member_fold(hands->member), command, ret_answer);
    case MEMBER_BUILD:
        return !member_work_build(&hands->work, member_fold(hands->member), command, hands->arena,
                                  ret_answer);
    case MEMBER_DROP_BUILD:
        member_work_drop(&hands->work, command->drop.run_id);
        return false;
    case MEMBER_FORGET:
        forget(hands, command);
        return false;
    case MEMBER_PAUSE:
    case MEMBER_UNPAUSE:
        pause_partitions(hands, command);
        return false;
    case MEMBER_MIRROR_OFFSETS:
        mirror(hands, command);
        return false;
    case MEMBER_LEAVE:
        log_info("member", "leaves the group");
        return false;
    case MEMBER_ALERT:
        hands->alerts++;
        log_warn("member", "%s", command->alert);
        return false;
    case MEMBER_END:
        err_set(&hands->refused, ERR_SETTINGS, "%s", command->end);
        return false;
    case MEMBER_COMMAND_KINDS:
        break;
    }
    CHECK(!"a command that does not exist");
    return false;
}

static bool append_trigger(struct member_hands *hands, const struct message_trigger *trigger)
{
    struct message message = {.kind = MESSAGE_TRIGGER, .trigger = *trigger};
    AUTO(buf) struct buf key;
    AUTO(buf) struct buf value;
    buf_init(&key, LEDGER_RECORD_BYTES_MAX);
    buf_init(&value, LEDGER_RECORD_BYTES_MAX);
    message_key(&message, &key);
    message_encode(&message, &value);
    struct ledger_record record = {.key = buf_bytes(&key), .value = buf_bytes(&value)};
    struct err err;
    if (!ledger_append(hands->writer, &record, 1, COMMAND_KAFKA_MS, NULL, &err)) {
        log_failure(LOG_WARN, "member", &err, "the trigger is not on record yet");
        note_refusal(hands, &err);
        return false;
    }
    return true;
}

/* Has some build reached every cut that the settings ask for? */
static bool targets_reached(const struct member_hands *hands)
{
    const struct message_commit *head = fold_head(member_fold(hands->member));
    size_t reached = 0;
    for (size_t i = 0; i < hands->settings->target_count; i++) {
        const struct commit_partition *said =
            message_commit_partition(head, hands->settings->targets[i].id);
        reached += said != NULL && said->cut >= hands->settings->targets[i].cut;
    }
    return reached == hands->settings->target_count;
}

/* What the settings or the command ask for once: when the ledger is known, and again while it may
 * not be on record. The vector's id is the same in every member, so it is one TRIGGER. */
static void send_triggers(struct member_hands *hands)
{
    const struct member_thread_settings *settings = hands->settings;
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    if (settings->trigger_id != NULL) {
        const struct fold *fold = member_fold(hands->member);
        if (fold_hold(fold) != NULL || fold_gated(fold) != NULL) {
            return; /* it would be built when nobody waits for it any more */
        }
        struct message_trigger build = {
            .id = settings->trigger_id, .who = host, .why = "tidemark build"};
        hands->trigger_sent = append_trigger(hands, &build);
    } else if (settings->target_count > 0 && !targets_reached(hands)) {
        struct message_trigger vector = {.id = settings->targets_id,
                                         .who = host,
                                         .why = "window.offsets",
                                         .cuts = settings->targets,
                                         .cut_count = settings->target_count};
        hands->trigger_sent = append_trigger(hands, &vector);
    } else {
        hands->trigger_sent = true;
    }
}

void member_hands_tick(struct member_hands *hands)
{
    arena_reset(hands->arena);
    member_hands_answer_starts(hands);
    if (!hands->trigger_sent && member_ready(hands->member)) {
        send_triggers(hands);
    }
}
