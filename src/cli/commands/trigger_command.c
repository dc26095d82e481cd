/* `tidemark trigger`: asks for a build now. */
#include <inttypes.h>
#include <stdlib.h>

#include "cli/commands/command_operator.h"
#include "cli/commands/commands.h"

enum { CUTS_MAX = COMMAND_VALUES_MAX };

static bool parse_number(const char **at, char end, int64_t max, int64_t *ret_number)
{
    char *stop = NULL;
    long long number = strtoll(*at, &stop, 10);
    if (stop == *at || **at == '-' || **at == '+' || *stop != end || number > max) {
        return false;
    }
    *at = stop + 1;
    *ret_number = number;
    return true;
}

/* TOPIC/PARTITION=OFFSET */
static bool parse_cut(const struct settings *settings, const char *text, struct arena *arena,
                      struct trigger_cut *cut, struct err *err)
{
    const char *slash = strchr(text, '/');
    int64_t partition = 0;
    int64_t offset = 0;
    const char *at = slash == NULL ? "" : slash + 1;
    if (slash == NULL || !parse_number(&at, '=', INT32_MAX, &partition) ||
        !parse_number(&at, '\0', INT64_MAX - 1, &offset)) {
        return err_set(err, ERR_INPUT, "--cut \"%.100s\": write it as TOPIC/PARTITION=OFFSET",
                       text);
    }
    const char *topic = arena_text(arena, bytes_of(text, (size_t)(slash - text)));
    if (!command_operator_has_topic(settings, topic)) {
        return err_set(err, ERR_INPUT, "--cut \"%.100s\": %s is no topic of the settings", text,
                       topic);
    }
    *cut =
        (struct trigger_cut){.id = {.topic = topic, .number = (int32_t)partition}, .cut = offset};
    return true;
}

static int by_partition(const void *left, const void *right)
{
    const struct trigger_cut *a = left;
    const struct trigger_cut *b = right;
    return partition_id_compare(a->id, b->id);
}

static bool parse_cuts(const struct command_call *call, const struct settings *settings,
                       struct arena *arena, struct message_trigger *trigger, struct err *err)
{
    const char *texts[CUTS_MAX];
    size_t count = command_values(call, "cut", texts, CUTS_MAX);
    struct trigger_cut *cuts = arena_alloc(arena, (count + 1) * sizeof *cuts);
    for (size_t i = 0; i < count; i++) {
        TRY(parse_cut(settings, texts[i], arena, &cuts[i], err));
    }
    qsort(cuts, count, sizeof *cuts, by_partition);
    for (size_t i = 1; i < count; i++) {
        if (partition_id_compare(cuts[i - 1].id, cuts[i].id) == 0) {
            return err_set(err, ERR_INPUT, "--cut: %s/%" PRId32 " is given twice", cuts[i].id.topic,
                           cuts[i].id.number);
        }
    }
    trigger->cuts = cuts;
    trigger->cut_count = count;
    return true;
}

/* A CLOSE is final: one above the end would keep every later build waiting until somebody has
 * written so many records. */
static bool within_ends(const struct settings *settings, const struct message_trigger *trigger,
                        struct arena *arena, struct err *err)
{
    struct source_ends *ends = NULL;
    size_t count = 0;
    TRY(command_operator_ends(settings, arena, &ends, &count, err));
    for (size_t i = 0; i < trigger->cut_count; i++) {
        const struct trigger_cut *cut = &trigger->cuts[i];
        size_t at = 0;
        while (at < count &&
               (strcmp(settings->topics[ends[at].partition.topic].name, cut->id.topic) != 0 ||
                ends[at].partition.partition != cut->id.number)) {
            at++;
        }
        if (at == count) {
            return err_set(err, ERR_INPUT, "--cut: there is no partition %s/%" PRId32,
                           cut->id.topic, cut->id.number);
        }
        if (cut->cut > ends[at].stable) {
            return err_set(err, ERR_INPUT,
                           "--cut: %s/%" PRId32 " can be read up to offset %" PRId64
                           ", not %" PRId64
                           ": all builds would wait for records that nobody has written",
                           cut->id.topic, cut->id.number, ends[at].stable, cut->cut);
        }
    }
    return true;
}

static bool not_below(const struct message_trigger *trigger, struct partition_id id, int64_t cut,
                      const char *what, struct err *err)
{
    for (size_t i = 0; i < trigger->cut_count; i++) {
        if (partition_id_compare(trigger->cuts[i].id, id) == 0 && trigger->cuts[i].cut < cut) {
            return err_set(err, ERR_INPUT,
                           "--cut: %s/%" PRId32 " is %s up to offset %" PRId64 ", and %" PRId64
                           " is below that: a build never goes back",
                           id.topic, id.number, what, cut, trigger->cuts[i].cut);
        }
    }
    return true;
}

/* Below what a build has already, there is nothing to build. */
static bool above_builds(const struct fold *fold, const struct message_trigger *trigger,
                         struct err *err)
{
    const struct message_commit *head = fold_head(fold);
    for (size_t i = 0; head != NULL && i < head->partition_count; i++) {
        TRY(not_below(trigger, head->partitions[i].id, head->partitions[i].cut,
                      fold_head_published(fold) ? "published" : "committed", err));
    }
    const struct fold_entry *open = fold_open_close(fold);
    const struct message_close *close = open == NULL ? NULL : &open->message.close;
    for (size_t i = 0; close != NULL && i < close->partition_count; i++) {
        TRY(not_below(trigger, close->partitions[i].id, close->partitions[i].cut,
                      "in the build that is open", err));
    }
    return true;
}

static enum exit_code run(struct command_call *call)
{
    AUTO(command_operator) struct command_operator desk = {0};
    enum exit_code code = EXIT_CODE_OK;
    struct err err = {0};
    if (!command_operator_open(call, &desk, &code)) {
        return code;
    }
    struct message message = {.kind = MESSAGE_TRIGGER,
                              .trigger = {.id = operator_new_id(desk.arena),
                                          .who = operator_who(desk.session),
                                          .why = desk.why}};
    if (!parse_cuts(call, desk.settings, desk.arena, &message.trigger, &err) ||
        !above_builds(operator_fold(desk.session), &message.trigger, &err)) {
        return command_fail(call, EXIT_CODE_USAGE, &err);
    }
    if (message.trigger.cut_count > 0 &&
        !within_ends(desk.settings, &message.trigger, desk.arena, &err)) {
        return err.kind == ERR_INPUT ? command_fail(call, EXIT_CODE_USAGE, &err)
                                     : command_operator_fail(call, &err);
    }
    const struct fold_entry *hold = fold_hold(operator_fold(desk.session));
    if (hold != NULL) {
        output_message(&call->output,
                       "the service is on hold (%s: %s): the build is published after `resume`",
                       hold->message.hold.who, hold->message.hold.why);
    }
    return command_operator_send(call, &desk, &message, command_has(call, "wait"), "published");
}

static const struct command_option options[] = {
    COMMAND_OPTIONS_OPERATOR,
    {"wait", 'w', NULL, "Wait until the snapshot is published, or there is nothing to publish.",
     false},
    {"cut", 0, "TOPIC/PARTITION=OFFSET",
     "Build up to that offset instead of the present end; once for each partition.", true},
    COMMAND_OPTIONS_END,
};

const struct command trigger_command = {
    .name = "trigger",
    .summary = "Ask the service for a build now",
    .options = options,
    .help =
        "Writes TRIGGER into the ledger. The leader closes a window at the present end of every "
        "partition (what a reader of committed records can see), or at the offsets of --cut "
        "(none beyond that end, none below what is published), and a snapshot comes of it. "
        "Whatever closes windows otherwise "
        "goes on.\n\n"
        "Without --wait the command ends when the record is in the ledger: the next leader "
        "obeys it, also if none runs now.\n\n"
        "With --json: id, who, state (accepted, published, no_leader, waiting), text, "
        "ledger_offset, build, run_id (null: the build had no rows, or is not done).",
    .examples = "tidemark trigger -c etc/tidemark.cfg --wait\ta snapshot of all up to now\n"
                "tidemark trigger -c etc/tidemark.cfg --cut orders/0=1200\tup to an offset\n",
    .run = run,
};
