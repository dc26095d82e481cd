/* A leader reduced to its answers to operators. */
#include "tests/conformance/operator_leader.h"

#include "core/coord/fold.h"
#include "tests/support/plain.h"

enum { APPEND_MS = 10000, PROGRESS_EVERY = 5 };

struct answers {
    struct operator_leader *leader;
    struct ledger_reader *reader;
    struct ledger_writer *writer;
    struct fold *fold;
    uint64_t term;
    int64_t appended; /* offset of the newest record of its own: it decides nothing before it has
                         read it */
};

int64_t operator_leader_append(struct ledger_writer *writer, const struct message *message)
{
    struct err err;
    struct buf key;
    struct buf value;
    buf_init(&key, 4096);
    buf_init(&value, LEDGER_RECORD_BYTES_MAX);
    message_key(message, &key);
    message_encode(message, &value);
    struct ledger_record record = {.key = buf_bytes(&key), .value = buf_bytes(&value)};
    int64_t offset = -1;
    WORKS(ledger_append(writer, &record, 1, APPEND_MS, &offset, &err));
    buf_done(&key);
    buf_done(&value);
    return offset;
}

static void say_progress(struct answers *answers, bool leaving)
{
    struct message message = {.kind = MESSAGE_PROGRESS,
                              .progress = {.member = "fake",
                                           .incarnation = 1,
                                           .generation = 1,
                                           .fingerprint = "f",
                                           .leaving = leaving}};
    answers->appended = operator_leader_append(answers->writer, &message);
}

static void say_commit(struct answers *answers, enum commit_kind kind, const char *used,
                       uint64_t resume_offset)
{
    const struct message_commit *head = fold_head(answers->fold);
    uint64_t build = head == NULL ? 1 : head->build + (kind == COMMIT_RESUMED ? 0 : 1);
    char run_id[64];
    snprintf(run_id, sizeof run_id, "b%" PRIu64 "-t%" PRIu64 "-fake", build, answers->term);
    struct message message = {.kind = MESSAGE_COMMIT,
                              .commit = {.term = answers->term,
                                         .build = build,
                                         .kind = kind,
                                         .run_id = run_id,
                                         .parent = "",
                                         .closed_to_us = EVENT_TIME_LOW,
                                         .future_bound_us = INT64_MAX,
                                         .fingerprint = "f",
                                         .has_snapshot = kind != COMMIT_EMPTY,
                                         .snapshot = {.run_id = run_id,
                                                      .build = build,
                                                      .num_dbs = 1,
                                                      .staged_url = "s",
                                                      .manifest_ref = "m",
                                                      .sha256 = "h",
                                                      .pointer = "p"},
                                         .used = &used,
                                         .used_count = used == NULL ? 0 : 1,
                                         .resume_offset = resume_offset}};
    answers->appended = operator_leader_append(answers->writer, &message);
    if (kind != COMMIT_EMPTY) {
        struct message published = {
            .kind = MESSAGE_PUBLISHED,
            .published = {.term = answers->term, .build = build, .run_id = run_id}};
        answers->appended = operator_leader_append(answers->writer, &published);
    }
}

static bool answer_hold(struct answers *answers)
{
    const struct fold_entry *entry = fold_hold(answers->fold);
    if (entry == NULL || entry->message.kind == MESSAGE_HELD) {
        return false;
    }
    struct message message = {.kind = MESSAGE_HELD, .hold = entry->message.hold};
    message.hold.term = answers->term;
    answers->appended = operator_leader_append(answers->writer, &message);
    return true;
}

static bool answer_resume(struct answers *answers)
{
    const struct fold_entry *entry = fold_resume(answers->fold);
    if (entry == NULL) {
        return false;
    }
    const char *pointer = entry->message.resume.pointer;
    const char *found = answers->leader->pointer;
    if (found == NULL ? pointer == NULL : pointer != NULL && strcmp(pointer, found) == 0) {
        say_commit(answers, COMMIT_RESUMED, NULL, (uint64_t)entry->offset);
        return true;
    }
    struct message message = {.kind = MESSAGE_HOLD,
                              .hold = {.id = "void",
                                       .who = "leader",
                                       .why = "the RESUME is void",
                                       .target = "",
                                       .term = answers->term,
                                       .may_appear = ""}};
    answers->appended = operator_leader_append(answers->writer, &message);
    return true;
}

/* Each TRIGGER and SKIP is used up by a build of its own. */
static bool answer_wish(struct answers *answers, enum message_kind kind)
{
    size_t at = 0;
    const struct fold_entry *entry = fold_next(answers->fold, kind, &at);
    if (entry == NULL) {
        return false;
    }
    struct err err;
    struct ledger_record gone = {.key = bytes_of_text(entry->key), .is_tombstone = true};
    bool empty = answers->leader->mood == OPERATOR_LEADER_EMPTY;
    say_commit(answers, empty ? COMMIT_EMPTY : COMMIT_BUILD,
               kind == MESSAGE_TRIGGER ? entry->message.trigger.id : entry->message.skip.id, 0);
    WORKS(ledger_append(answers->writer, &gone, 1, APPEND_MS, &answers->appended, &err));
    return true;
}

static void read_batch(struct answers *answers)
{
    struct err err;
    struct ledger_batch batch = {0};
    WORKS(ledger_read(answers->reader, 200, &batch, &err));
    for (size_t i = 0; i < batch.count; i++) {
        const struct ledger_record *record = &batch.records[i];
        WORKS(fold_apply(answers->fold, record->offset, record->timestamp_ms * 1000, record->key,
                         record->is_tombstone ? bytes_of(NULL, 0) : record->value, &err));
    }
}

static void lead(struct answers *answers)
{
    struct message message = {.kind = MESSAGE_LEADER, .leader = {.member = "fake", .nonce = "n"}};
    answers->appended = operator_leader_append(answers->writer, &message);
    while (fold_leader(answers->fold) == NULL) {
        read_batch(answers);
    }
    answers->term = (uint64_t)fold_leader(answers->fold)->offset;
}

/* The first that is to be answered; each answer is read before the next one is given. */
static void answer_one(struct answers *answers)
{
    if (!answer_hold(answers) && !answer_resume(answers) &&
        !answer_wish(answers, MESSAGE_TRIGGER)) {
        answer_wish(answers, MESSAGE_SKIP);
    }
}

static void run(void *argument)
{
    struct answers answers = {.leader = argument, .fold = fold_new(), .appended = -1};
    struct err err;
    WORKS(ledger_reader_new(&answers.leader->settings, 0, &answers.reader, &err));
    WORKS(ledger_writer_new(&answers.leader->settings, &answers.writer, &err));
    lead(&answers);
    for (int round = 0; !answers.leader->stop; round++) {
        if (round % PROGRESS_EVERY == 0) {
            say_progress(&answers, false);
        }
        read_batch(&answers);
        if (answers.leader->mood != OPERATOR_LEADER_MUTE &&
            fold_end(answers.fold) > answers.appended) {
            answer_one(&answers);
        }
    }
    say_progress(&answers, true);
    ledger_reader_free(answers.reader);
    ledger_writer_free(answers.writer);
    fold_free(answers.fold);
}

void operator_leader_start(struct operator_leader *leader)
{
    leader->stop = false;
    leader->thread = thread_new("leader", run, leader);
}

void operator_leader_stop(struct operator_leader *leader)
{
    leader->stop = true;
    leader->thread = thread_join(leader->thread);
}
