/* A group's status as JSON and as tables. */
#include "cli/commands/command_status.h"

#include <inttypes.h>

#include "cli/commands/command_lineage.h"
#include "cli/commands/command_snapshot.h"
#include "cli/commands/output_table.h"
#include "core/units.h"

static void put_name(cJSON *object, const char *name, const char *text)
{
    if (text == NULL || text[0] == '\0') {
        json_put_null(object, name);
    } else {
        json_put_text(object, name, text);
    }
}

static void put_time(cJSON *object, const char *name, int64_t time_us, struct arena *arena)
{
    const char *text = command_event_time(time_us, arena);
    put_name(object, name, strcmp(text, "-") == 0 ? NULL : text);
}

static void put_offset(cJSON *object, const char *name, int64_t offset)
{
    if (offset < 0) {
        json_put_null(object, name);
    } else {
        json_put_i64(object, name, offset);
    }
}

static void put_members(cJSON *root, const struct group_status *status, struct arena *arena)
{
    cJSON *list = json_put_array(root, "members");
    for (size_t i = 0; i < status->member_count; i++) {
        const struct group_status_member *member = &status->members[i];
        cJSON *item = json_add_object(list);
        json_put_text(item, "name", member->name);
        json_put_text(item, "state",
                      member->leaving  ? "left"
                      : member->silent ? "silent"
                                       : "alive");
        json_put_bool(item, "leads", member->leads);
        json_put_u64(item, "incarnation", member->incarnation);
        put_time(item, "heard_at", member->heard_us, arena);
        json_put_u64(item, "partitions", member->partitions);
        json_put_u64(item, "rows", member->rows);
        json_put_u64(item, "bytes", member->bytes);
    }
}

static void put_partitions(cJSON *root, const struct group_status *status, struct arena *arena)
{
    cJSON *list = json_put_array(root, "partitions");
    for (size_t i = 0; i < status->partition_count; i++) {
        const struct group_status_partition *partition = &status->partitions[i];
        cJSON *item = json_add_object(list);
        json_put_text(item, "topic", partition->id.topic);
        json_put_i64(item, "partition", partition->id.number);
        put_name(item, "owner", partition->owner);
        put_name(item, "state",
                 partition->owner == NULL ? NULL : group_status_state_name(partition->state));
        put_offset(item, "position", partition->position);
        put_time(item, "watermark", partition->watermark_us, arena);
        put_offset(item, "cut", partition->cut);
        put_offset(item, "tail_from", partition->tail_from);
        put_offset(item, "low", partition->low);
        put_offset(item, "stable", partition->stable);
        put_offset(item, "high", partition->high);
        put_offset(item, "lag", partition->lag);
        json_put_i64(item, "margin", partition->margin);
    }
}

static void put_build(cJSON *root, const struct group_status *status, struct arena *arena)
{
    if (status->open_close == NULL) {
        json_put_null(root, "open_build");
        return;
    }
    cJSON *item = json_put_object(root, "open_build");
    json_put_u64(item, "build", status->open_close->build);
    put_name(item, "run_id", status->open_run_id);
    json_put_text(item, "trigger", command_trigger_name(status->open_close->trigger));
    put_time(item, "closed_at", status->open_close->time_us, arena);
    json_put_u64(item, "ready", status->ready);
    json_put_u64(item, "refused", status->refused);
    json_put_u64(item, "shards", status->shards_planned);
    json_put_u64(item, "shards_built", status->shards_built);
    json_put_u64(item, "attempts_failed", status->attempts_failed);
}

static void put_head(cJSON *root, const struct group_status *status, struct arena *arena)
{
    if (status->head == NULL) {
        json_put_null(root, "head");
        return;
    }
    cJSON *item = json_put_object(root, "head");
    json_put_u64(item, "build", status->head->build);
    put_name(item, "run_id", status->head->has_snapshot ? status->head->snapshot.run_id : NULL);
    json_put_bool(item, "published", status->head_published);
    put_time(item, "committed_at", status->head->time_us, arena);
    put_time(item, "closed_to", status->head->closed_to_us, arena);
}

static void put_pointer(cJSON *root, const struct group_status_request *request,
                        const struct group_status *status, struct arena *arena)
{
    const struct catalog_pointer *pointer = request->pointer;
    if (pointer == NULL) {
        json_put_null(root, "pointer");
        return;
    }
    cJSON *item = json_put_object(root, "pointer");
    json_put_bool(item, "there", !pointer->missing);
    put_name(item, "run_id", pointer->valid ? pointer->pointer.run_id : NULL);
    if (pointer->valid) {
        put_time(item, "updated_at", pointer->pointer.updated_at_us, arena);
    }
    json_put_bool(item, "is_head", status->pointer_is_head);
}

static void put_hold(cJSON *root, const struct group_status *status, struct arena *arena)
{
    if (status->hold == NULL) {
        json_put_null(root, "hold");
        return;
    }
    cJSON *item = json_put_object(root, "hold");
    json_put_text(item, "who", status->hold->who);
    json_put_text(item, "why", status->hold->why);
    put_name(item, "target", status->hold->target);
    json_put_bool(item, "held", status->held);
    put_name(item, "may_appear", status->hold->may_appear);
    put_time(item, "since", status->hold_us, arena);
}

static void put_condemned(cJSON *root, const struct group_status *status, struct arena *arena)
{
    cJSON *list = json_put_array(root, "condemned");
    for (size_t i = 0; i < status->condemned_count; i++) {
        const struct group_status_condemned *condemned = &status->condemned[i];
        cJSON *item = json_add_object(list);
        json_put_text(item, "run_id", condemned->run_id);
        json_put_text(item, "reason", condemned->reason);
        put_time(item, "since", condemned->since_us, arena);
        put_time(item, "due", condemned->due_us, arena);
    }
}

void command_status_json(struct command_call *call, const char *group,
                         const struct group_status_request *request,
                         const struct group_status *status, struct arena *arena)
{
    AUTO(json) cJSON *root = json_new_object();
    json_put_text(root, "group", group);
    json_put_text(root, "phase", group_status_phase_name(status->phase));
    json_put_text(root, "text", status->doing);
    json_put_bool(root, "alive", status->alive);
    put_name(root, "leader", status->leader);
    put_offset(root, "term", status->term);
    put_time(root, "leader_since", status->leader_since_us, arena);
    put_name(root, "published_run_id", status->published_run_id);
    put_time(root, "published_at", status->published_us, arena);
    put_time(root, "watermark", status->watermark_us, arena);
    put_offset(root, "lag", status->lag);
    json_put_u64(root, "triggers_waiting", status->triggers_waiting);
    json_put_u64(root, "skips_waiting", status->skips_waiting);
    json_put_i64(root, "ledger_end", fold_end(request->fold));
    put_head(root, status, arena);
    put_pointer(root, request, status, arena);
    put_build(root, status, arena);
    put_hold(root, status, arena);
    put_members(root, status, arena);
    put_partitions(root, status, arena);
    put_condemned(root, status, arena);
    output_json(&call->output, root);
}

/* ---- text ---- */

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

static void print_members(struct command_call *call, const struct group_status_request *request,
                          const struct group_status *status, struct arena *arena)
{
    static const struct output_column columns[] = {
        {"MEMBER", false},    {"STATE", false}, {"HEARD", false},
        {"PARTITIONS", true}, {"ROWS", true},   {"BYTES", true},
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
    print_members(call, request, status, arena);
    print_partitions(call, status, arena);
}
