/* The status server: two threads that look at the group, and the pages of what they see.
 *
 * The watcher reads the ledger on and on and folds it. The asker asks the brokers for the ends of
 * the partitions, and the store for the pointer when somebody wants a page with it; either may
 * hang, so it does nothing else. Both put what they know under one lock, which the HTTP server
 * takes for as long as a page is made. */
#include "consumer/status/status_thread.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/ledger.h"
#include "adapters/os/lock.h"
#include "adapters/os/log.h"
#include "adapters/os/thread.h"
#include "consumer/operator/operator.h"
#include "consumer/status/status_health.h"
#include "consumer/status/status_http.h"
#include "adapters/os/listen.h"
#include "consumer/status/status_page.h"
#include "consumer/wiring/wiring.h"

enum {
    SECOND_US = 1000 * 1000,
    READ_MS = 200,
    RETRY_US = 2 * SECOND_US,
    ASK_US = 5 * SECOND_US,
    ASK_BROKERS_MS = 5 * 1000,
    ASK_STORE_US = 10 * SECOND_US,
    ASK_SLICE_US = 20 * 1000,
    POINTER_AGE_US = 15 * SECOND_US, /* an idle group costs its store nothing; nor do its pages much
                                      */
    POINTER_WAIT_US = 2 * SECOND_US, /* so long a page waits for a newer answer */
};

/* What the asker was told; each replaced as a whole. */
struct told_ends {
    struct arena *arena;
    struct source_ends *list;
    size_t count;
    bool known;
    const char *problem;
};

struct told_pointer {
    struct arena *arena;
    struct catalog_pointer value;
    bool known;
    const char *problem;
    int64_t mono_us; /* when; 0: never */
};

struct status_thread {
    struct status_thread_settings settings;
    struct store_settings store_settings;
    int64_t started_us;
    atomic_bool end;
    atomic_bool stopping;
    atomic_bool pointer_wanted;
    struct thread *watcher;
    struct thread *asker;
    struct status_http *http;
    struct {
        struct lock lock;
        struct fold *fold;
        struct status_counts counts;
        struct status_standing standing;
        struct told_ends ends;
        struct told_pointer pointer;
        bool at_end;
        int64_t heard_mono_us;
        bool has_problem;
        struct err problem;
    } locked;
};

/* ---- the view; with the lock held ---- */

static void fill_group(struct status_thread *thread, struct status_view *view,
                       struct group_status_request *request, struct group_status *group,
                       struct arena *arena)
{
    const struct settings *settings = thread->settings.settings;
    const struct told_ends *ends = &thread->locked.ends;
    const struct told_pointer *pointer = &thread->locked.pointer;
    *request = (struct group_status_request){
        .fold = thread->locked.fold,
        .now_us = view->now_us,
        .quiet_us = operator_quiet_of(settings),
        .cleanup_grace_us = settings->snapshot.cleanup_grace_us,
        .pointer = pointer->known ? &pointer->value : NULL,
        .topics = thread->settings.source.topics,
        .ends = ends->known ? ends->list : NULL,
        .end_count = ends->known ? ends->count : 0,
    };
    group_status_fill(request, arena, group);
    view->request = request;
    view->group = group;
}

static void fill_view(struct status_thread *thread, struct status_view *view)
{
    *view = (struct status_view){
        .settings = thread->settings.settings,
        .version = thread->settings.version,
        .client_version = thread->settings.client_version,
        .now_us = clock_now_us(),
        .mono_us = clock_mono_us(),
        .started_us = thread->started_us,
        .stopping = atomic_load(&thread->stopping),
        .store = thread->settings.store,
        .ledger_read = thread->locked.at_end,
        .ledger_problem = thread->locked.has_problem ? thread->locked.problem.message : NULL,
        .ends_problem = thread->locked.ends.problem,
        .pointer_problem = thread->locked.pointer.problem,
        .counts = &thread->locked.counts,
        .standing = &thread->locked.standing,
    };
    view->ledger_age_us = view->mono_us - thread->locked.heard_mono_us;
    thread->settings.look(thread->settings.context, view);
}

typedef bool (*page_maker)(const struct status_view *view, struct buf *out);

static bool make_page(struct status_thread *thread, page_maker make, struct buf *out)
{
    struct status_view view;
    struct group_status_request request;
    struct group_status group;
    AUTO(arena) struct arena *arena = arena_new(16 * 1024);
    lock_take(&thread->locked.lock);
    fill_view(thread, &view);
    fill_group(thread, &view, &request, &group, arena);
    bool good = make(&view, out);
    lock_give(&thread->locked.lock);
    return good;
}

static bool make_live(const struct status_view *view, struct buf *out)
{
    bool live = status_health_live(view, out);
    buf_add_text(out, live ? "ok\n" : "");
    return live;
}

static bool make_ready(const struct status_view *view, struct buf *out)
{
    bool ready = status_health_ready(view, out);
    buf_add_text(out, ready ? "ok\n" : "");
    return ready;
}

static bool make_status(const struct status_view *view, struct buf *out)
{
    status_page_json(view, out);
    return true;
}

static bool make_metrics(const struct status_view *view, struct buf *out)
{
    status_page_metrics(view, out);
    return true;
}

/* Of the threads alone: this must answer also while the ledger's fold is under a long lock. */
static bool serve_live(void *context, struct buf *out)
{
    struct status_thread *thread = context;
    struct status_view view = {.settings = thread->settings.settings};
    thread->settings.look(thread->settings.context, &view);
    return make_live(&view, out);
}

static bool serve_ready(void *context, struct buf *out)
{
    return make_page(context, make_ready, out);
}

/* Asks for the pointer where the last answer is old, and waits for the new one, but not for long.
 */
static void want_pointer(struct status_thread *thread)
{
    int64_t begin_us = clock_mono_us();
    while (clock_mono_us() - begin_us < POINTER_WAIT_US && !atomic_load(&thread->stopping)) {
        lock_take(&thread->locked.lock);
        int64_t told_us = thread->locked.pointer.mono_us;
        lock_give(&thread->locked.lock);
        if (told_us > 0 && told_us >= begin_us - POINTER_AGE_US) {
            return;
        }
        atomic_store(&thread->pointer_wanted, true);
        clock_sleep_us(ASK_SLICE_US);
    }
}

static bool serve_status(void *context, struct buf *out)
{
    want_pointer(context);
    return make_page(context, make_status, out);
}

static bool serve_metrics(void *context, struct buf *out)
{
    want_pointer(context);
    return make_page(context, make_metrics, out);
}

static const struct status_http_page pages[] = {
    {"/livez", "text/plain; charset=utf-8", serve_live},
    {"/readyz", "text/plain; charset=utf-8", serve_ready},
    {"/status", "application/json", serve_status},
    {"/metrics", "text/plain; version=0.0.4; charset=utf-8", serve_metrics},
    {0},
};

/* ---- the watcher ---- */

static void take_record(struct status_thread *thread, const struct ledger_record *record)
{
    struct err err;
    int64_t timestamp_us = record->timestamp_ms * 1000;
    struct bytes value = record->is_tombstone ? bytes_of(NULL, 0) : record->value;
    if (!fold_apply(thread->locked.fold, record->offset, timestamp_us, record->key, value, &err)) {
        thread->locked.counts.foreign++;
        return;
    }
    char key[MESSAGE_TEXT_MAX + 1];
    if (record->is_tombstone || record->key.size > MESSAGE_TEXT_MAX) {
        return;
    }
    memcpy(key, record->key.data, record->key.size);
    key[record->key.size] = '\0';
    const struct fold_entry *entry = fold_find(thread->locked.fold, key);
    if (entry != NULL && entry->offset == record->offset) {
        status_counts_take(&thread->locked.counts, &entry->message, timestamp_us,
                           thread->settings.settings->member_id, thread->locked.at_end);
    }
}

static void look_at_standing(struct status_thread *thread)
{
    struct status_view view = {.now_us = clock_now_us()};
    struct group_status_request request;
    struct group_status group;
    AUTO(arena) struct arena *arena = arena_new(16 * 1024);
    fill_group(thread, &view, &request, &group, arena);
    status_standing_look(&thread->locked.standing, &group, thread->settings.settings->member_id,
                         clock_mono_us());
}

static bool watch(struct status_thread *thread, struct ledger_reader *reader, struct err *err)
{
    int64_t looked_us = 0;
    while (!atomic_load(&thread->end)) {
        struct ledger_batch batch;
        TRY(ledger_read(reader, READ_MS, &batch, err));
        lock_take(&thread->locked.lock);
        thread->locked.has_problem = false;
        for (size_t i = 0; i < batch.count; i++) {
            take_record(thread, &batch.records[i]);
        }
        if (batch.at_end) {
            thread->locked.at_end = true;
            thread->locked.heard_mono_us = clock_mono_us();
        }
        if (clock_mono_us() - looked_us >= SECOND_US) {
            look_at_standing(thread);
            looked_us = clock_mono_us();
        }
        lock_give(&thread->locked.lock);
    }
    return true;
}

static void pause_for(struct status_thread *thread, int64_t pause_us)
{
    int64_t until_us = clock_mono_us() + pause_us;
    while (!atomic_load(&thread->end) && clock_mono_us() < until_us) {
        clock_sleep_us(ASK_SLICE_US);
    }
}

/* A ledger that is another one than before is read from its start: the fold of the old one is void.
 */
static void run_watcher(void *argument)
{
    struct status_thread *thread = argument;
    while (!atomic_load(&thread->end)) {
        struct err err;
        struct ledger_reader *reader = NULL;
        if (ledger_reader_new(&thread->settings.ledger, 0, &reader, &err) &&
            watch(thread, reader, &err)) {
            ledger_reader_free(reader);
            return;
        }
        ledger_reader_free(reader);
        log_failure(LOG_WARN, "status", &err, "the status server cannot read the ledger");
        lock_take(&thread->locked.lock);
        thread->locked.has_problem = true;
        thread->locked.problem = err;
        thread->locked.at_end = false;
        fold_clear(thread->locked.fold);
        lock_give(&thread->locked.lock);
        pause_for(thread, RETRY_US);
    }
}

/* ---- the asker ---- */

static void ask_ends(struct status_thread *thread, struct source_query *query)
{
    struct err err;
    struct told_ends told = {.arena = arena_new(4096)};
    told.known = query != NULL && source_query_ends(query, ASK_BROKERS_MS, told.arena, &told.list,
                                                    &told.count, &err);
    if (!told.known) {
        told.problem = query == NULL ? "no client"
                                     : arena_text(told.arena, bytes_of_text(err.message));
    }
    lock_take(&thread->locked.lock);
    struct told_ends before = thread->locked.ends;
    thread->locked.ends = told;
    lock_give(&thread->locked.lock);
    arena_free(before.arena);
}

static void ask_pointer(struct status_thread *thread, struct store *store)
{
    struct err err;
    struct told_pointer told = {.arena = arena_new(4096)};
    struct catalog catalog = {.borrowed_store = store};
    told.known = store != NULL && catalog_read_pointer(&catalog, told.arena, &told.value, &err);
    if (!told.known) {
        told.problem = store == NULL ? "the store cannot be opened"
                                     : arena_text(told.arena, bytes_of_text(err.message));
    }
    told.mono_us = clock_mono_us();
    lock_take(&thread->locked.lock);
    struct told_pointer before = thread->locked.pointer;
    thread->locked.pointer = told;
    lock_give(&thread->locked.lock);
    arena_free(before.arena);
}

static bool goes_on(struct status_thread *thread)
{
    return !atomic_load(&thread->end) && !atomic_load(&thread->stopping);
}

/* Answers whoever waits for the pointer, until it is time to ask the brokers again. */
static void serve_pointer(struct status_thread *thread, struct store **store)
{
    int64_t until_us = clock_mono_us() + ASK_US;
    while (goes_on(thread) && clock_mono_us() < until_us) {
        if (!atomic_exchange(&thread->pointer_wanted, false)) {
            clock_sleep_us(ASK_SLICE_US);
            continue;
        }
        struct err err;
        if (*store == NULL && !wiring_open_store(thread->settings.settings->snapshot.store,
                                                 &thread->store_settings, store, &err)) {
            log_failure(LOG_WARN, "status", &err, "the pointer is not known");
        }
        ask_pointer(thread, *store);
    }
}

static void run_asker(void *argument)
{
    struct status_thread *thread = argument;
    struct source_query *query = NULL;
    struct store *store = NULL;
    while (goes_on(thread)) {
        struct err err;
        if (query == NULL && !source_query_new(&thread->settings.source, &query, &err)) {
            log_failure(LOG_WARN, "status", &err, "the ends of the partitions are not known");
        }
        ask_ends(thread, query);
        serve_pointer(thread, &store);
    }
    source_query_free(query);
    store_free(store);
}

/* ---- its life ---- */

/* *ret_socket is -1 where there is none to be. */
static bool open_socket(const struct settings *settings, int *ret_socket, struct err *err)
{
    bool wanted = settings->status.listen != NULL;
    struct listen_place place;
    const char *problem = listen_parse(wanted ? settings->status.listen : STATUS_LISTEN, &place);
    CHECK(problem == NULL); /* the settings were checked */
    *ret_socket = -1;
    if (place.off) {
        return true;
    }
    char text[LISTEN_TEXT_MAX];
    if (listen_open(&place, ret_socket, text, err)) {
        log_info("status", "the status server listens on %s", text);
        return true;
    }
    if (!wanted && err->kind == ERR_CONFLICT) {
        log_failure(LOG_WARN, "status", err,
                    "no status server: set status.listen to another port, or to \"off\"");
        return true;
    }
    err->kind = ERR_SETTINGS;
    return err_wrap(err, "%s: status.listen", settings->file == NULL ? "settings" : settings->file);
}

/* One try, and no patience: the answer is wanted for a page. */
static struct store_settings impatient(const struct store_settings *settings)
{
    struct store_settings copy = *settings;
    copy.max_retries = 0;
    copy.deadline_us = ASK_STORE_US;
    if (copy.request_timeout_us > ASK_STORE_US) {
        copy.request_timeout_us = ASK_STORE_US;
    }
    return copy;
}

bool status_thread_new(const struct status_thread_settings *settings,
                       struct status_thread **ret_thread, struct err *err)
{
    int socket = -1;
    *ret_thread = NULL;
    TRY(open_socket(settings->settings, &socket, err));
    if (socket < 0) {
        return true;
    }
    struct status_thread *thread = calloc(1, sizeof *thread);
    CHECK(thread != NULL);
    thread->settings = *settings;
    thread->store_settings = impatient(&settings->settings->s3);
    thread->started_us = clock_now_us();
    atomic_init(&thread->end, false);
    atomic_init(&thread->stopping, false);
    atomic_init(&thread->pointer_wanted, false);
    lock_init(&thread->locked.lock);
    thread->locked.fold = fold_new();
    thread->locked.heard_mono_us = clock_mono_us();
    thread->watcher = thread_new("status", run_watcher, thread);
    thread->asker = thread_new("status-ask", run_asker, thread);
    if (!status_http_new(socket, pages, thread, &thread->http, err)) {
        status_thread_free(thread);
        return false;
    }
    *ret_thread = thread;
    return true;
}

void status_thread_stopping(struct status_thread *thread)
{
    if (thread != NULL) {
        atomic_store(&thread->stopping, true);
    }
}

struct status_thread *status_thread_free(struct status_thread *thread)
{
    if (thread == NULL) {
        return NULL;
    }
    status_http_free(thread->http);
    atomic_store(&thread->end, true);
    thread_join(thread->watcher);
    thread_join(thread->asker);
    arena_free(thread->locked.ends.arena);
    arena_free(thread->locked.pointer.arena);
    status_standing_done(&thread->locked.standing);
    fold_free(thread->locked.fold);
    lock_done(&thread->locked.lock);
    free(thread);
    return NULL;
}
