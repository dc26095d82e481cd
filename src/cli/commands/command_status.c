/* A group's status as tables. */
#include "cli/commands/command_status.h"

#include <inttypes.h>

#include "cli/commands/command_lineage.h"
#include "cli/commands/command_snapshot.h"
#include "cli/commands/output_table.h"
#include "consumer/status/group_status_json.h"
#include "core/units.h"

/* "12s ago", in whole seconds: this is for people. */
static const char *ago(int64_t now_us, int64_t then_us, struct arena *arena)
{
    if (then_us == EVENT_TIME_LOW) {
        return "never";
    }
    char text[UNITS_TEXT_SIZE];
    int64_t seconds = (now_us - then_us) / 1000000;
    units_print_duration(seconds < 0 ? 0 : seconds * 1000000, text);
    return arena_format(arena, "%s ago", text);
}

static const char *offset_text(int64_t offset, struct arena *arena)
{
    return offset < 0 ? "-" : arena_format(arena, "%" PRId64, offset);
}

static void print_head(struct command_call *call, const struct group_status_request *request,
                       const struct group_status *status, struct arena *arena)
{
    struct output *output = &call->output;
    if (status->head == NULL) {
        output_print(output, "head         none\n");
    } else {
        output_print(output, "head         build %" PRIu64 "%s%s%s\n", status->head->build,
                     status->head->has_snapshot ? ", run " : ", no snapshot yet",
                     status->head->has_snapshot ? status->head->snapshot.run_id : "",
                     status->head_published ? "" : " (not published yet)");
    }
    const struct catalog_pointer *pointer = request->pointer;
    if (pointer == NULL) {
        output_print(output, "pointer      not known\n");
    } else if (pointer->missing) {
        output_print(output, "pointer      none\n");
    } else if (!pointer->valid) {
        output_print(output, "pointer      no pointer: %s\n", pointer->problem);
    } else {
        output_print(output, "pointer      run %s, written %s%s\n", pointer->pointer.run_id,
                     command_event_time(pointer->pointer.updated_at_us, arena),
                     status->pointer_is_head ? "" : " (not the head)");
    }
    output_print(output, "published    %s\n", ago(request->now_us, status->published_us, arena));
}

static void print_overview(struct command_call *call, const char *group,
                           const struct group_status_request *request,
                           const struct group_status *status, struct arena *arena)
{
    struct output *output = &call->output;
    bool warns = !status->alive || status->phase == GROUP_STATUS_HOLDING;
    output_print(output, "group        %s\n", group);
    output_print(output, "state        %s%s%s: %s\n",
                 output_colour(output, warns ? OUTPUT_YELLOW : OUTPUT_GREEN),
                 group_status_phase_name(status->phase), output_colour(output, OUTPUT_PLAIN),
                 status->doing);
    if (status->alive) {
        output_print(output, "leader       %s, term %" PRId64 ", since %s\n",
                     status->leader == NULL ? "none" : status->leader, status->term,
                     command_event_time(status->leader_since_us, arena));
    } else {
        output_print(output, "leader       none: %s\n", status->silence);
    }
    if (status->leading[0] != '\0') {
        output_print(output, "leading      %s\n", status->leading);
    }
    print_head(call, request, status, arena);
    output_print(output, "watermark    %s\n", command_event_time(status->watermark_us, arena));
    output_print(output, "lag          %s\n", offset_text(status->lag, arena));
    if (status->hold != NULL) {
        output_print(output, "hold         %s\n",
                     status->held ? "the leader has stopped publishing"
                                  : "no leader has answered it yet");
    }
    if (status->triggers_waiting + status->skips_waiting > 0) {
        output_print(output, "waiting      %zu triggers, %zu skips\n", status->triggers_waiting,
                     status->skips_waiting);
    }
}

static void print_waits(struct command_call *call, const struct group_status *status,
                        struct arena *arena)
{
    static const struct output_column columns[] = {
        {"WAITS FOR", false}, {"PARTITION", true}, {"FROM", true}, {"CUT", true},
        {"POSITION", true},   {"OWNER", false},    {"WHY", false},
    };
    AUTO(output_table) struct output_table table;
    output_table_init(&table, columns, LENGTH_OF(columns));
    for (size_t i = 0; i < status->wait_count; i++) {
        const struct group_status_wait *wait = &status->waits[i];
        output_table_add(&table, "%s", wait->id.topic);
        output_table_add(&table, "%" PRId32, wait->id.number);
        output_table_add(&table, "%" PRId64, wait->from);
        output_table_add(&table, "%" PRId64, wait->cut);
        output_table_add(&table, "%s", offset_text(wait->position, arena));
        output_table_add(&table, "%s", wait->owner == NULL ? "-" : wait->owner);
        output_table_add(&table, "%s", wait->why);
    }
    if (status->wait_count > 0) {
        output_print(&call->output, "\n");
        output_table_print(&table, &call->output);
    }
}

static void print_members(struct command_call *call, const struct group_status_request *request,
                          const struct group_status *status, struct arena *arena)
{
    static const struct output_column columns[] = {
        {"MEMBER", false}, {"STATE", false}, {"HEARD", false}, {"PARTITIONS", true},
        {"ROWS", true},    {"BYTES", true},  {"DOING", false},
    };
    AUTO(output_table) struct output_table table;
    output_table_init(&table, columns, LENGTH_OF(columns));
    for (size_t i = 0; i < status->member_count; i++) {
        const struct group_status_member *member = &status->members[i];
        output_table_add(&table, "%s", member->name);
        output_table_add(&table, "%s",
                         member->leaving  ? "left"
                         : member->silent ? "silent"
                         : member->leads  ? "leads"
                                          : "alive");
        output_table_add(&table, "%s", ago(request->now_us, member->heard_us, arena));
        output_table_add(&table, "%zu", member->partitions);
        output_table_add(&table, "%" PRIu64, member->rows);
        output_table_add(&table, "%s", command_bytes(member->bytes, arena));
        bool paused = member->paused[0] != '\0';
        output_table_add(&table, "%s%s%s%s", paused ? "paused: " : "", member->paused,
                         paused ? "; " : "", member->doing[0] == '\0' ? "-" : member->doing);
    }
    if (status->member_count > 0) {
        output_print(&call->output, "\n");
        output_table_print(&table, &call->output);
    }
}

static void print_partitions(struct command_call *call, const struct group_status *status,
                             struct arena *arena)
{
    static const struct output_column columns[] = {
        {"TOPIC", false},    {"PARTITION", true}, {"OWNER", false},     {"STATE", false},
        {"POSITION", true},  {"STABLE", true},    {"LAG", true},        {"CUT", true},
        {"TAIL FROM", true}, {"MARGIN", true},    {"WATERMARK", false},
    };
    AUTO(output_table) struct output_table table;
    output_table_init(&table, columns, LENGTH_OF(columns));
    for (size_t i = 0; i < status->partition_count; i++) {
        const struct group_status_partition *partition = &status->partitions[i];
        bool owned = partition->owner != NULL;
        output_table_add(&table, "%s", partition->id.topic);
        output_table_add(&table, "%" PRId32, partition->id.number);
        output_table_add(&table, "%s", owned ? partition->owner : "-");
        output_table_add(&table, "%s", owned ? group_status_state_name(partition->state) : "-");
        output_table_add(&table, "%s", offset_text(partition->position, arena));
        output_table_add(&table, "%s", offset_text(partition->stable, arena));
        output_table_add(&table, "%s", offset_text(partition->lag, arena));
        output_table_add(&table, "%s", offset_text(partition->cut, arena));
        output_table_add(&table, "%s", offset_text(partition->tail_from, arena));
        output_table_add(&table, partition->margin < 0 ? "LOST %" PRId64 : "%" PRId64,
                         partition->margin < 0 ? -partition->margin : partition->margin);
        output_table_add(&table, "%s", command_event_time(partition->watermark_us, arena));
    }
    if (status->partition_count > 0) {
        output_print(&call->output, "\n");
        output_table_print(&table, &call->output);
    }
}

void command_status_json(struct command_call *call, const char *group,
                         const struct group_status_request *request,
                         const struct group_status *status)
{
    AUTO(json) cJSON *root = json_new_object();
    json_put_text(root, "group", group);
    group_status_json(root, request, status);
    output_json(&call->output, root);
}

void command_status_text(struct command_call *call, const char *group,
                         const struct group_status_request *request,
                         const struct group_status *status, struct arena *arena)
{
    print_overview(call, group, request, status, arena);
    for (size_t i = 0; i < status->condemned_count; i++) {
        output_print(&call->output, "condemned    run %s (%s), deleted after %s\n",
                     status->condemned[i].run_id, status->condemned[i].reason,
                     command_event_time(status->condemned[i].due_us, arena));
    }
    print_waits(call, status, arena);
    print_members(call, request, status, arena);
    print_partitions(call, status, arena);
}
