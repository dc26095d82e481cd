/* /status: what `tidemark status --json` says, and what only the member itself knows. */
#include "consumer/status/status_page.h"

#include "consumer/status/group_status_json.h"
#include "consumer/status/status_health.h"
#include "core/base/utc.h"

static void put_time(cJSON *object, const char *name, int64_t time_us)
{
    char text[UTC_TEXT_SIZE];
    if (utc_in_range(time_us) && time_us > 0) {
        utc_format_json(time_us, text);
        json_put_text(object, name, text);
    } else {
        json_put_null(object, name);
    }
}

/* Milliseconds: JSON has no durations, and these are for machines. */
static void put_ms(cJSON *object, const char *name, int64_t time_us)
{
    json_put_i64(object, name, time_us / 1000);
}

static void put_health(cJSON *root, const char *name, const char *list_name, bool healthy,
                       const struct buf *reasons)
{
    json_put_bool(root, name, healthy);
    cJSON *list = json_put_array(root, list_name);
    AUTO(arena) struct arena *arena = arena_new(1024);
    for (const char *line = buf_text(reasons); *line != '\0';) {
        size_t size = strcspn(line, "\n");
        json_add_text(list, arena_text(arena, bytes_of(line, size)));
        line += size + (line[size] == '\n');
    }
}

static void put_threads(cJSON *member, const struct status_view *view)
{
    cJSON *list = json_put_array(member, "threads");
    for (size_t i = 0; i < STATUS_THREADS; i++) {
        cJSON *item = json_add_object(list);
        json_put_text(item, "name", view->threads[i].name);
        put_ms(item, "progress_age_ms", view->threads[i].age_us);
        put_ms(item, "limit_ms", view->threads[i].limit_us);
    }
}

static void put_records(cJSON *member, const struct intake_counters *counters)
{
    cJSON *item = json_put_object(member, "records");
    json_put_u64(item, "read", counters->records);
    json_put_u64(item, "bytes", counters->bytes);
    json_put_u64(item, "future", counters->future_seen);
    json_put_u64(item, "passed_over", counters->passed_over);
    cJSON *rejected = json_put_object(item, "rejected");
    for (int cause = REJECT_NONE + 1; cause < REJECT_CAUSES; cause++) {
        if (counters->rejected[cause] > 0) {
            json_put_u64(rejected, reject_cause_name((enum reject_cause)cause),
                         counters->rejected[cause]);
        }
    }
}

/* Which setting keeps partitions from being read on, and how many each. */
static void put_pauses(cJSON *member, const struct pause_moment *moment)
{
    json_put_optional(member, "paused_by", pause_reason(moment));
    cJSON *item = json_put_object(member, "paused");
    for (unsigned reason = PAUSE_NOT + 1; reason < PAUSE_REASONS; reason++) {
        json_put_u64(item, member_pause_name((enum member_pause)reason), moment->paused[reason]);
    }
}

static void put_member(cJSON *root, const struct status_view *view)
{
    const struct member_state *state = &view->member;
    const struct limit_settings *limits = &view->settings->limits;
    cJSON *member = json_put_object(root, "member");
    json_put_text(member, "name", view->settings->member_id);
    json_put_u64(member, "incarnation", state->incarnation);
    json_put_text(member, "version", view->version);
    json_put_text(member, "librdkafka", view->client_version);
    put_time(member, "started_at", view->started_us);
    json_put_text(member, "doing", state->doing);
    json_put_bool(member, "stopping", view->stopping);
    json_put_bool(member, "caught_up", state->caught_up);
    json_put_i64(member, "ledger_read_to", state->ledger_next);
    json_put_bool(member, "leads", view->leader.phase == LEADER_ACTIVE);
    json_put_text(member, "leader_phase", leader_phase_name(view->leader.phase));
    json_put_text(member, "leader_doing", view->leader.doing);
    if (view->leader.term < 0) {
        json_put_null(member, "term");
    } else {
        json_put_i64(member, "term", view->leader.term);
    }
    json_put_u64(member, "alerts", state->alerts + view->leader.alerts);
    json_put_u64(member, "partitions_assigned", view->source.assigned);
    json_put_u64(member, "partitions_paused", view->source.paused);
    put_pauses(member, &state->pauses);
    json_put_u64(member, "rebalances", view->source.rebalances);
    put_records(member, &state->counters);
    json_put_u64(member, "rows_held", state->counters.rows);
    cJSON *memory = json_put_object(member, "memory");
    json_put_u64(memory, "used", view->memory_used);
    json_put_u64(memory, "peak", view->memory_peak);
    json_put_u64(memory, "budget", view->memory_budget);
    json_put_bool(memory, "paused", view->memory_paused);
    cJSON *disk = json_put_object(member, "disk");
    json_put_u64(disk, "used", state->counters.disk_bytes);
    json_put_u64(disk, "budget", limits->disk_budget);
    json_put_bool(disk, "full", state->counters.disk_full);
    json_put_u64(disk, "spills", state->counters.spills);
    cJSON *attempts = json_put_object(member, "attempts");
    json_put_u64(attempts, "ok", view->counts->attempts_ok);
    json_put_u64(attempts, "failed", view->counts->attempts_failed);
    put_threads(member, view);
}

static void put_standing(cJSON *group, const struct status_view *view)
{
    cJSON *list = json_put_array(group, "standing");
    for (size_t i = 0; i < view->group->partition_count; i++) {
        struct partition_id id = view->group->partitions[i].id;
        int64_t standing = status_standing_us(view->standing, id, view->mono_us);
        if (standing > 0) {
            cJSON *item = json_add_object(list);
            json_put_text(item, "topic", id.topic);
            json_put_i64(item, "partition", id.number);
            put_ms(item, "standing_ms", standing);
        }
    }
}

static void put_group(cJSON *group, const struct status_view *view)
{
    put_ms(group, "ledger_age_ms", view->ledger_age_us);
    group_status_json(group, view->request, view->group);
    int64_t since_us = 0;
    json_put_u64(group, "windows_unpublished", status_view_unpublished(view, &since_us));
    json_put_u64(group, "windows_overdue", status_view_overdue(view));
    put_time(group, "oldest_unpublished_closed_at", since_us);
    if (view->group->published_us > 0) {
        put_ms(group, "publish_age_ms", view->now_us - view->group->published_us);
    } else {
        json_put_null(group, "publish_age_ms");
    }
    json_put_optional(group, "refusal", view->group->refusal);
    json_put_optional(group, "failure", view->group->failure);
    cJSON *planned = json_put_object(group, "attempts_planned");
    for (int why = 0; why < STATUS_PLANNED_KINDS; why++) {
        json_put_u64(planned, status_planned_name((enum status_planned)why),
                     view->counts->planned[why]);
    }
    put_standing(group, view);
    json_put_optional(group, "ledger_problem", view->ledger_problem);
    json_put_optional(group, "lag_problem", view->ends_problem);
    json_put_optional(group, "pointer_problem", view->pointer_problem);
}

void status_page_json(const struct status_view *view, struct buf *out)
{
    AUTO(json) cJSON *root = json_new_object();
    AUTO(buf) struct buf stuck;
    AUTO(buf) struct buf unready;
    buf_init(&stuck, 64 * 1024);
    buf_init(&unready, 64 * 1024);
    json_put_text(root, "group", view->settings->group);
    put_time(root, "time", view->now_us);
    put_health(root, "live", "live_problems", status_health_live(view, &stuck), &stuck);
    put_health(root, "ready", "ready_problems", status_health_ready(view, &unready), &unready);
    put_member(root, view);
    put_group(root, view);
    json_print(root, out);
    buf_add_byte(out, '\n');
}
