/* What the status server is told of a running service. */
#include "consumer/service_watched.h"

static struct status_view_thread thread_view(const char *name, const struct pulse *pulse,
                                             int64_t limit_us)
{
    return (struct status_view_thread){name, pulse_age_us(pulse), limit_us};
}

/* The leader thread waits for the store, which may take its whole deadline. */
static void look(void *context, struct status_view *view)
{
    const struct service_watched *watched = context;
    int64_t limit_us = watched->settings->status.stuck_after_us;
    view->threads[0] = thread_view("poll", poll_thread_pulse(watched->poll), limit_us);
    view->threads[1] = thread_view("intake", intake_thread_pulse(watched->intake), limit_us);
    view->threads[2] = thread_view("member", member_thread_pulse(watched->member), limit_us);
    view->threads[3] = thread_view("leader", leader_thread_pulse(watched->leader),
                                   limit_us + watched->settings->s3.deadline_us);
    member_thread_state(watched->member, &view->member);
    if (!view->member.failed) {
        view->member.failed = leader_thread_failed(watched->leader, &view->member.err);
    }
    leader_thread_seen(watched->leader, &view->leader);
    poll_thread_statistics(watched->poll, &view->source);
    view->memory_used = budget_used(watched->budget);
    view->memory_peak = budget_used_max(watched->budget);
    view->memory_budget = watched->budget->limit;
    view->memory_paused = atomic_load(&watched->budget->paused);
}

bool service_watched_start(struct service_watched *watched, const struct service_settings *parts,
                           const struct store_counters *store, struct status_thread **ret_status,
                           struct err *err)
{
    struct status_thread_settings status = {
        .settings = watched->settings,
        .ledger = parts->ledger,
        .source = parts->source,
        .store = store,
        .version = TIDEMARK_VERSION,
        .client_version = cluster_client_version(),
        .look = look,
        .context = watched,
    };
    return status_thread_new(&status, ret_status, err);
}
