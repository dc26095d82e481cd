/* The whole service in one process: what is started, in which order, and how it ends. */
#include "consumer/service.h"

#include <stdlib.h>

#include "adapters/os/log.h"
#include "adapters/os/file.h"
#include "checkpoint/leader/leader_thread.h"
#include "consumer/intake/intake_thread.h"
#include "consumer/intake/poll_thread.h"
#include "consumer/service_checkpoint.h"
#include "consumer/service_settings.h"
#include "consumer/service_topics.h"
#include "consumer/service_watched.h"
#include "consumer/wiring/wiring.h"
#include "consumer/wiring/wiring_kv.h"

enum { SERVICE_KAFKA_MS = 30 * 1000 };

struct service {
    const struct settings *settings;
    struct service_options options;
    struct arena *arena;
    struct folder_lock *lock; /* of this member's work folder, for the life of the service */
    struct service_settings parts;
    struct store *store;
    struct kv *kv;
    struct budget budget;
    uint64_t reserved; /* bytes charged for what is always there */
    struct queue *to_member;
    struct queue *to_intake;
    struct queue *to_poll;
    struct queue *batches;
    struct held_rows *held;
    struct dead_letters *letters;
    struct intake *intake;
    struct checkpoint_saver *saver;
    const struct member_held *restored; /* partitions of the local checkpoint */
    size_t restored_count;
    struct leader_thread *leader;
    struct intake_thread *intake_thread;
    struct poll_thread *poll;
    struct member_thread *member;
    struct state_base_settings base_settings;
    struct state_base *base;
    struct service_watched watched;
    struct status_thread *status;
    int64_t target;
};

static bool open_store(struct service *service, struct err *err)
{
    const struct settings *settings = service->settings;
    TRY(wiring_open_kv(settings->kv.backend, &settings->vectors, &service->kv, err));
    if (!wiring_open_store(settings->snapshot.store, &settings->s3, &service->store, err) ||
        !wiring_sweep_store(service->store, err)) {
        return err_wrap(err, "store %s", settings->snapshot.store);
    }
    struct store_probe_result probe;
    struct store_probe_settings how = {.writers = 3, .rounds = 2, .body_bytes = 64 * 1024};
    if (!store_probe(service->store, &how, &probe, err)) {
        return err_wrap(err, "store %s", settings->snapshot.store);
    }
    service->parts.coord.store_cas = (probe.features & STORE_CAS) != 0;
    if (!service->parts.coord.store_cas) {
        log_warn("service",
                 "%s does not honour conditional writes (%s): a pointer that went back is repaired "
                 "within %lld s, which is all that can be promised here",
                 settings->snapshot.store, probe.text,
                 (long long)(settings->snapshot.pointer_check_us / 1000000));
    }
    return true;
}

static bool open_intake_at(struct service *service, const struct local_checkpoint_place *place,
                           struct local_checkpoint *checkpoint, struct err *err)
{
    const struct settings *settings = service->settings;
    struct held_rows_settings held = {
        .folder = place->spills,
        .order = settings->snapshot.order,
        .borrowed_budget = &service->budget,
        .disk_budget = settings->limits.disk_budget - service->parts.base_bytes,
        .keeps_files = place->database != NULL,
    };
    TRY(held_rows_new(&held, &service->held, err));
    TRY(dead_letters_new(&settings->dead_letter, &service->parts.cluster, &service->letters, err));
    struct intake_settings intake = {
        .settings = settings,
        .router = &service->parts.router,
        .budget = &service->budget,
        .held = service->held,
        .letters = service->letters,
    };
    TRY(intake_new(&intake, &service->intake, err));
    if (checkpoint != NULL) {
        service->restored =
            service_checkpoint_adopt(checkpoint, service->held, service->intake, service->arena);
        service->restored_count = checkpoint->partition_count;
    }
    struct checkpoint_saver_settings saver = {
        .place = *place,
        .intake = service->intake,
        .held = service->held,
        .letters = service->letters,
        .interval_us = settings->limits.checkpoint_interval_us,
        .bytes = settings->limits.checkpoint_bytes,
    };
    service->saver = checkpoint_saver_new(&saver);
    service->parts.source.want_headers = intake_wants_headers(service->intake);
    return true;
}

static bool open_intake(struct service *service, struct err *err)
{
    struct local_checkpoint_place place = {0};
    struct local_checkpoint *checkpoint = NULL;
    TRY(service_checkpoint_open(service->settings, &service->parts.coord, service->options.mock,
                                service->arena, &place, &checkpoint, err));
    bool ok = open_intake_at(service, &place, checkpoint, err);
    local_checkpoint_free(checkpoint);
    return ok;
}

/* How much there is to read: the distance from the starts to the ends. Only for progress. */
static void find_target(struct service *service)
{
    struct source_query *query = NULL;
    struct source_ends *ends = NULL;
    size_t count = 0;
    struct err err;
    if (source_query_new(&service->parts.source, &query, &err) &&
        source_query_ends(query, SERVICE_KAFKA_MS, service->arena, &ends, &count, &err)) {
        for (size_t i = 0; i < count; i++) {
            service->target += ends[i].stable;
        }
    }
    source_query_free(query);
}

static void open_queues(struct service *service)
{
    service->to_member = queue_new(MAIL_QUEUE_MAX);
    service->to_intake = queue_new(MAIL_QUEUE_MAX);
    service->to_poll = queue_new(MAIL_QUEUE_MAX);
    service->batches = queue_new(4 * POLL_BATCHES);
    for (int i = 0; i < POLL_BATCHES; i++) {
        CHECK(queue_push(service->batches, source_batch_new(service->parts.batch_messages), 0) ==
              QUEUE_DONE);
    }
    service->reserved = service->parts.source.queue_bytes_max +
                        (uint64_t)POLL_BATCHES * 2 * POLL_BATCH_BYTES + service->parts.build_bytes;
    uint64_t limit = service->settings->limits.memory_budget;
    service->reserved = service->reserved > limit / 2 ? limit / 2 : service->reserved;
    budget_init(&service->budget, limit);
    budget_charge(&service->budget, service->reserved);
}

static void join_again(void *context)
{
    struct service *service = context;
    mail_send(service->to_poll, mail_new(MAIL_JOIN_AGAIN));
}

static void start_leader(struct service *service)
{
    struct leader_thread_settings leader = {
        .coord = &service->parts.coord,
        .member_id = service->settings->member_id,
        .leadership = service->parts.leadership,
        .source = service->parts.source,
        .start = service->parts.start,
        .start_time_ms = service->parts.start_time_ms,
        .publish = {.store = service->store,
                    .names = &service->parts.names,
                    .group = service->settings->group,
                    .sqlite_version = wiring_sqlite_version(),
                    .kv = {.backend = service->settings->kv.backend,
                           .version = wiring_kv_version(service->settings->kv.backend,
                                                        service->settings->vectors.dim)},
                    .fingerprint_text = service->parts.fingerprint_text,
                    .snapshot = &service->settings->snapshot,
                    .vector = {.dim = service->settings->vectors.dim,
                               .metric = service->settings->vectors.metric},
                    .key_encoding = service->parts.key_encoding,
                    .sharding = &service->parts.sharding},
        .join_again = join_again,
        .context = service,
    };
    service->leader = leader_thread_new(&leader);
}

static bool open_base(struct service *service, struct err *err)
{
    const struct settings *settings = service->settings;
    if (settings->snapshot.contents != CONTENTS_STATE) {
        return true;
    }
    service->base_settings = (struct state_base_settings){
        .store = service->store,
        .names = &service->parts.names,
        .folder = arena_format(service->arena, "%s/%s/base", settings->limits.work_folder,
                               settings->member_id),
        .bytes_max = service->parts.base_bytes,
    };
    return state_base_new(&service->base_settings, &service->base, err);
}

static bool start_member(struct service *service, struct err *err)
{
    const struct settings *settings = service->settings;
    const char *folder = arena_format(service->arena, "%s/%s/shards", settings->limits.work_folder,
                                      settings->member_id);
    TRY(file_remove_tree(folder, err));
    TRY(file_make_folders(folder, err));
    TRY(open_base(service, err));
    struct intake_thread_settings intake = {
        .intake = service->intake,
        .saver = service->saver,
        .inbox = service->to_intake,
        .batches = service->batches,
        .member = service->to_member,
        .source = &service->parts.source,
    };
    service->intake_thread = intake_thread_new(&intake);
    struct poll_thread_settings poll = {
        .source = &service->parts.source,
        .rate = {.records_per_second = settings->limits.records_per_second,
                 .bytes_per_second = settings->limits.bytes_per_second},
        .batch_messages = service->parts.batch_messages,
        .budget = &service->budget,
        .inbox = service->to_poll,
        .batches = service->batches,
        .intake = service->to_intake,
        .member = service->to_member,
    };
    TRY(poll_thread_new(&poll, &service->poll, err));
    struct member_thread_settings member = {
        .coord = &service->parts.coord,
        .member_id = settings->member_id,
        .ledger = service->parts.ledger,
        .source = service->parts.source,
        .start = service->parts.start,
        .start_time_ms = service->parts.start_time_ms,
        .work = {.shard = {.kv = service->kv,
                           .store = service->store,
                           .names = &service->parts.names,
                           .snapshot = &settings->snapshot,
                           .key_encoding = service->parts.key_encoding,
                           .metric = settings->vectors.metric,
                           .folder = folder,
                           .cache_bytes = service->parts.kv_cache_bytes,
                           .canaries = settings->gates.canary_keys,
                           .canary_count = settings->gates.canary_key_count,
                           .base = service->base,
                           .router = &service->parts.router},
                 .router = &service->parts.router,
                 .budget = &service->budget,
                 .policy = {.take_late = settings->window.late == LATE_NEXT,
                            .take_future = settings->window.future == FUTURE_KEEP},
                 .order = settings->snapshot.order,
                 .threads = settings->limits.build_threads},
        .spills = arena_format(service->arena, "%s/%s/spills", settings->limits.work_folder,
                               settings->member_id),
        .held = service->restored,
        .held_count = service->restored_count,
        .inbox = service->to_member,
        .intake = service->to_intake,
        .poll = service->to_poll,
        .targets = service->parts.targets,
        .target_count = service->parts.target_count,
        .targets_id = service->parts.targets_id,
        .poll_seen = service->poll,
        .leader_seen = service->leader,
        .trigger_id = service->options.trigger_id,
    };
    service->member = member_thread_new(&member);
    return true;
}

static bool start_status(struct service *service, struct err *err)
{
    if (!service->options.serve_status) {
        return true;
    }
    service->watched = (struct service_watched){
        .settings = service->settings,
        .poll = service->poll,
        .intake = service->intake_thread,
        .member = service->member,
        .leader = service->leader,
        .budget = &service->budget,
    };
    return service_watched_start(&service->watched, &service->parts, &service->store->counters,
                                 &service->status, err);
}

static bool start(struct service *service, struct err *err)
{
    const struct settings *settings = service->settings;
    TRY(cluster_check_version(err));
    log_info("service", "tidemark %s with %s, group %s, member %s, store %s", TIDEMARK_VERSION,
             cluster_client_version(), settings->group, settings->member_id,
             settings->snapshot.store);
    TRY(service_checkpoint_lock(settings, service->arena, &service->lock, err));
    const char **ids = arena_zero(service->arena, (settings->topic_count + 1) * sizeof *ids);
    for (size_t i = 0; i < settings->topic_count; i++) {
        ids[i] = "";
    }
    const char *ledger_id = "";
    TRY(service_settings_init(&service->parts, settings, service->arena, err));
    if (service->options.mock) {
        log_info("service", "the embedded cluster cannot describe topics: they are not checked");
    } else {
        TRY(service_topics_check(service->settings, &service->parts.cluster, service->arena, ids,
                                 &ledger_id, err));
    }
    service_settings_know(&service->parts, settings, ids, ledger_id, service->arena);
    TRY(open_store(service, err));
    open_queues(service);
    TRY(open_intake(service, err));
    if (service->options.trigger_id != NULL) {
        find_target(service);
    }
    start_leader(service);
    TRY(start_member(service, err));
    return start_status(service, err);
}

bool service_new(const struct settings *settings, const struct service_options *options,
                 struct service **ret_service, struct err *err)
{
    struct service *service = calloc(1, sizeof *service);
    CHECK(service != NULL);
    service->settings = settings;
    service->options = *options;
    service->arena = arena_new(16 * 1024);
    if (!start(service, err)) {
        service_free(service);
        return false;
    }
    *ret_service = service;
    return true;
}

void service_state(struct service *service, struct member_state *ret_state)
{
    member_thread_state(service->member, ret_state);
    ret_state->left = ret_state->left && intake_thread_saved(service->intake_thread);
    if (!ret_state->failed) {
        ret_state->failed = leader_thread_failed(service->leader, &ret_state->err);
    }
}

int64_t service_target(const struct service *service)
{
    return service->target;
}

/* The checkpoint first, which is sure to be done in time; the group hears of it meanwhile. */
void service_stop(struct service *service)
{
    mail_send(service->to_intake, mail_new(MAIL_SAVE));
    status_thread_stopping(service->status);
    member_thread_stop(service->member);
}

/* What the store was asked for, all in all: what a bill is made of. */
static void tell_store(struct service *service)
{
    uint64_t requests = 0;
    uint64_t sent = 0;
    uint64_t received = 0;
    for (unsigned i = 0; service->store != NULL && i < STORE_OPERATIONS; i++) {
        const struct store_operation_counters *of = &service->store->counters.of[i];
        requests += atomic_load(&of->requests);
        sent += atomic_load(&of->bytes_sent);
        received += atomic_load(&of->bytes_received);
    }
    log_info("service", "store: %llu requests, %llu bytes sent, %llu bytes received",
             (unsigned long long)requests, (unsigned long long)sent, (unsigned long long)received);
}

/* Queues are closed before the threads that wait on them are joined; who sends to a closed queue
 * frees what it sends. */
struct service *service_free(struct service *service)
{
    if (service == NULL) {
        return NULL;
    }
    status_thread_free(service->status); /* it looks at all the others */
    if (service->poll != NULL) {
        poll_thread_stop(service->poll);
    }
    if (service->leader != NULL) {
        leader_thread_stop(service->leader);
    }
    if (service->held != NULL) {
        held_rows_abort(service->held);
    }
    if (service->to_member != NULL) {
        queue_close(service->to_member);
        queue_close(service->to_poll);
        queue_close(service->batches);
    }
    member_thread_free(service->member);
    poll_thread_free(service->poll);
    intake_thread_free(service->intake_thread);
    leader_thread_free(service->leader);
    checkpoint_saver_free(service->saver);
    state_base_free(service->base);
    intake_free(service->intake);
    held_rows_free(service->held);
    dead_letters_free(service->letters);
    if (service->to_member != NULL) {
        mail_drain(service->to_member);
        mail_drain(service->to_intake);
        mail_drain(service->to_poll);
        void *batch = NULL;
        while (queue_pop(service->batches, &batch, 0) == QUEUE_DONE) {
            source_batch_free(batch);
        }
        queue_free(service->to_member);
        queue_free(service->to_intake);
        queue_free(service->to_poll);
        queue_free(service->batches);
        budget_done(&service->budget);
    }
    tell_store(service);
    kv_free(service->kv);
    store_free(service->store);
    folder_lock_give(service->lock);
    service_settings_done(&service->parts);
    arena_free(service->arena);
    free(service);
    return NULL;
}
