/* A group's status as JSON, for the command and for the status server. */
#include "consumer/status/group_status_json.h"

#include "core/base/utc.h"

static void put_name(cJSON *object, const char *name, const char *text)
{
    if (text == NULL || text[0] == '\0') {
        json_put_null(object, name);
    } else {
        json_put_text(object, name, text);
    }
}

static void put_time(cJSON *object, const char *name, int64_t time_us)
{
    char text[UTC_TEXT_SIZE] = "";
    if (utc_in_range(time_us)) {
        utc_format_json(time_us, text);
    }
    put_name(object, name, text);
}

static void put_offset(cJSON *object, const char *name, int64_t offset)
{
    if (offset < 0) {
        json_put_null(object, name);
    } else {
        json_put_i64(object, name, offset);
    }
}

static void put_members(cJSON *root, const struct group_status *status)
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
        put_time(item, "heard_at", member->heard_us);
        json_put_u64(item, "partitions", member->partitions);
        json_put_u64(item, "rows", member->rows);
        json_put_u64(item, "bytes", member->bytes);
        put_name(item, "doing", member->doing);
        put_name(item, "paused", member->paused);
        put_name(item, "leading", member->leading);
    }
}

static void put_partitions(cJSON *root, const struct group_status *status)
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
        put_time(item, "watermark", partition->watermark_us);
        put_offset(item, "cut", partition->cut);
        put_offset(item, "tail_from", partition->tail_from);
        put_offset(item, "low", partition->low);
        put_offset(item, "stable", partition->stable);
        put_offset(item, "high", partition->high);
        put_offset(item, "lag", partition->lag);
        json_put_i64(item, "margin", partition->margin);
    }
}

static void put_waits(cJSON *build, const struct group_status *status)
{
    cJSON *list = json_put_array(build, "waits_for");
    for (size_t i = 0; i < status->wait_count; i++) {
        const struct group_status_wait *wait = &status->waits[i];
        cJSON *item = json_add_object(list);
        json_put_text(item, "topic", wait->id.topic);
        json_put_i64(item, "partition", wait->id.number);
        json_put_i64(item, "from", wait->from);
        json_put_i64(item, "cut", wait->cut);
        put_offset(item, "position", wait->position);
        put_name(item, "owner", wait->owner);
        json_put_text(item, "kind", wait->kind);
        json_put_text(item, "why", wait->why);
    }
}

static void put_answers(cJSON *build, const struct group_status *status)
{
    cJSON *refusals = json_put_array(build, "refusals");
    for (size_t i = 0; i < status->refused; i++) {
        cJSON *item = json_add_object(refusals);
        json_put_text(item, "member", status->refusals[i].member);
        json_put_text(item, "reason", status->refusals[i].reason);
    }
    cJSON *builders = json_put_array(build, "builders");
    for (size_t i = 0; i < status->builder_count; i++) {
        cJSON *item = json_add_object(builders);
        json_put_text(item, "member", status->builders[i].member);
        json_put_u64(item, "shards", status->builders[i].shards);
        json_put_u64(item, "built", status->builders[i].built);
    }
    cJSON *gates = json_put_array(build, "gates");
    for (size_t i = 0; status->gated != NULL && i < status->gated->reason_count; i++) {
        json_add_text(gates, status->gated->reasons[i]);
    }
    put_name(build, "failure", status->failure);
}

static void put_build(cJSON *root, const struct group_status *status)
{
    if (status->open_close == NULL) {
        json_put_null(root, "open_build");
        return;
    }
    cJSON *item = json_put_object(root, "open_build");
    json_put_u64(item, "build", status->open_close->build);
    put_name(item, "run_id", status->open_run_id);
    json_put_text(item, "trigger", close_trigger_names[status->open_close->trigger]);
    put_time(item, "closed_at", status->open_close->time_us);
    json_put_u64(item, "ready", status->ready);
    json_put_u64(item, "refused", status->refused);
    json_put_u64(item, "shards", status->shards_planned);
    json_put_u64(item, "shards_built", status->shards_built);
    json_put_u64(item, "attempts_planned", status->attempts_planned);
    json_put_u64(item, "attempts_beside", status->attempts_beside);
    json_put_u64(item, "attempts_failed", status->attempts_failed);
    put_waits(item, status);
    put_answers(item, status);
}

static void put_head(cJSON *root, const struct group_status *status)
{
    if (status->head == NULL) {
        json_put_null(root, "head");
        return;
    }
    cJSON *item = json_put_object(root, "head");
    json_put_u64(item, "build", status->head->build);
    put_name(item, "run_id", status->head->has_snapshot ? status->head->snapshot.run_id : NULL);
    json_put_bool(item, "published", status->head_published);
    put_time(item, "committed_at", status->head->time_us);
    put_time(item, "closed_to", status->head->closed_to_us);
}

static void put_pointer(cJSON *root, const struct group_status_request *request,
                        const struct group_status *status)
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
        put_time(item, "updated_at", pointer->pointer.updated_at_us);
    }
    json_put_bool(item, "is_head", status->pointer_is_head);
}

static void put_hold(cJSON *root, const struct group_status *status)
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
    put_time(item, "since", status->hold_us);
}

static void put_condemned(cJSON *root, const struct group_status *status)
{
    cJSON *list = json_put_array(root, "condemned");
    for (size_t i = 0; i < status->condemned_count; i++) {
        const struct group_status_condemned *condemned = &status->condemned[i];
        cJSON *item = json_add_object(list);
        json_put_text(item, "run_id", condemned->run_id);
        json_put_text(item, "reason", condemned->reason);
        put_time(item, "since", condemned->since_us);
        put_time(item, "due", condemned->due_us);
    }
}

void group_status_json(cJSON *root, const struct group_status_request *request,
                       const struct group_status *status)
{
    json_put_text(root, "phase", group_status_phase_name(status->phase));
    json_put_text(root, "text", status->doing);
    json_put_bool(root, "alive", status->alive);
    put_name(root, "leader", status->leader);
    put_name(root, "leading", status->leading);
    put_offset(root, "term", status->term);
    put_time(root, "leader_since", status->leader_since_us);
    put_name(root, "published_run_id", status->published_run_id);
    put_time(root, "published_at", status->published_us);
    put_time(root, "watermark", status->watermark_us);
    put_offset(root, "lag", status->lag);
    json_put_u64(root, "triggers_waiting", status->triggers_waiting);
    json_put_u64(root, "skips_waiting", status->skips_waiting);
    json_put_i64(root, "ledger_end", fold_end(request->fold));
    put_head(root, status);
    put_pointer(root, request, status);
    put_build(root, status);
    put_hold(root, status);
    put_members(root, status);
    put_partitions(root, status);
    put_condemned(root, status);
}
