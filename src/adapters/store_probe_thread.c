/* What a store really does: conditional writes tested one by one, then by racing with itself.
 *
 * Some servers ignore the conditions (garage), some check them without a lock (moto, s3proxy):
 * those pass any sequential test, and lose updates when two writers meet. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/os/clock.h"
#include "adapters/os/os_random.h"
#include "adapters/os/thread.h"
#include "adapters/store.h"

enum { WRITERS_MAX = 16, BODY_SMALL = 32 };

static const int64_t old_us = INT64_C(3600000000);

struct probe {
    struct store *store;
    struct store_probe_settings settings;
    struct store_probe_result result;
    char folder[64];
    char key[80];
};

struct writer {
    struct probe *probe;
    struct store_condition condition;
    uint8_t *body;
    bool ok;
    struct store_etag etag;
    struct err err;
};

static struct store_content content_of(const void *data, size_t size)
{
    return (struct store_content){.bytes = bytes_of(data, size), .type = "text/plain"};
}

static void miss(struct probe *probe, enum store_feature feature, const char *why)
{
    probe->result.features &= ~(unsigned)feature;
    if (probe->result.text[0] == '\0') {
        snprintf(probe->result.text, sizeof probe->result.text, "%.255s", why);
    }
}

/* Is the error an answer ("I cannot do that") rather than a lack of one? */
static bool is_answer(const struct err *err)
{
    return err->kind == ERR_CONFLICT || err->kind == ERR_SETTINGS || err->kind == ERR_INPUT ||
           err->kind == ERR_MISSING;
}

/* A conditional write that must be refused. */
static bool expect_refusal(struct probe *probe, struct store_condition condition,
                           enum store_feature feature, const char *why, struct err *err)
{
    struct store_content content = content_of("refused", 7);
    if (store_put(probe->store, probe->key, &content, condition, NULL, err)) {
        miss(probe, feature, why);
        return true;
    }
    if (!is_answer(err)) {
        return false;
    }
    if (err->kind != ERR_CONFLICT) {
        miss(probe, feature, err->message);
    }
    return true;
}

/* A conditional write that must succeed. */
static bool expect_success(struct probe *probe, struct store_condition condition,
                           enum store_feature feature, const char *why, struct err *err)
{
    struct store_content content = content_of("accepted", 8);
    if (store_put_settled(probe->store, probe->key, &content, condition, NULL, err)) {
        return true;
    }
    if (!is_answer(err)) {
        return false;
    }
    miss(probe, feature, err->kind == ERR_CONFLICT ? why : err->message);
    return true;
}

static bool check_basics(struct probe *probe, struct err *err)
{
    char body[BODY_SMALL + 1];
    os_random_hex(body, BODY_SMALL);
    struct store_content content = content_of(body, BODY_SMALL);
    TRY(store_put_settled(probe->store, probe->key, &content, store_always(), NULL, err));
    AUTO(buf) struct buf read;
    buf_init(&read, 4096);
    TRY(store_get(probe->store, probe->key, &read, NULL, err));
    if (!bytes_equal(buf_bytes(&read), content.bytes)) {
        return err_set(err, ERR_CORRUPT, "the store gives back other bytes than were written");
    }
    AUTO(store_page) struct store_page page = {0};
    TRY(store_list(probe->store, probe->folder, false, &page, err));
    if (page.count != 1 || strcmp(page.entries[0].key, probe->key) != 0) {
        return err_set(err, ERR_SETTINGS, "the store does not list what was just written");
    }
    return true;
}

static bool check_one_by_one(struct probe *probe, struct err *err)
{
    struct store_content content = content_of("first", 5);
    struct store_etag etag;
    struct store_etag other = {"\"00000000000000000000000000000000\""};
    TRY(expect_refusal(probe, store_if_absent(), STORE_CREATE_ONLY,
                       "If-None-Match is ignored: an existing object was overwritten", err));
    TRY(expect_refusal(probe, store_if_match(&other), STORE_CAS,
                       "If-Match is ignored: an object with another tag was overwritten", err));
    if ((probe->result.features & STORE_CAS) != 0) {
        TRY(store_put_settled(probe->store, probe->key, &content, store_always(), &etag, err));
        TRY(expect_success(probe, store_if_match(&etag), STORE_CAS,
                           "If-Match with the right tag is refused", err));
    }
    TRY(store_delete(probe->store, probe->key, err));
    if ((probe->result.features & STORE_CREATE_ONLY) != 0) {
        TRY(expect_success(probe, store_if_absent(), STORE_CREATE_ONLY,
                           "If-None-Match is refused where there is no object", err));
    }
    return true;
}

static void write_once(void *argument)
{
    struct writer *writer = argument;
    struct probe *probe = writer->probe;
    struct store_content content = content_of(writer->body, probe->settings.body_bytes);
    writer->ok = store_put(probe->store, probe->key, &content, writer->condition, &writer->etag,
                           &writer->err);
}

/* All writers at once; then the number of those that were told "yes". An answer that was lost
 * counts when the object has that writer's content. False: the race says nothing. */
static bool race(struct probe *probe, struct store_condition condition, unsigned *ret_winners,
                 bool *ret_last_is_winner, struct err *err)
{
    struct writer writers[WRITERS_MAX] = {0};
    struct thread *threads[WRITERS_MAX];
    unsigned count = probe->settings.writers;
    for (unsigned i = 0; i < count; i++) {
        uint8_t *body = malloc(probe->settings.body_bytes);
        CHECK(body != NULL);
        memset(body, 'a' + (int)i, probe->settings.body_bytes);
        os_random_hex((char *)body, BODY_SMALL);
        writers[i] = (struct writer){.probe = probe, .condition = condition, .body = body};
    }
    for (unsigned i = 0; i < count; i++) {
        threads[i] = thread_new("store-probe", write_once, &writers[i]);
    }
    for (unsigned i = 0; i < count; i++) {
        thread_join(threads[i]);
    }
    AUTO(buf) struct buf now;
    buf_init(&now, 2 * probe->settings.body_bytes + 4096);
    bool ok = store_get(probe->store, probe->key, &now, NULL, err);
    if (!ok && err->kind == ERR_MISSING) {
        ok = true; /* nobody came through */
    }
    *ret_winners = 0;
    *ret_last_is_winner = false;
    for (unsigned i = 0; i < count; i++) {
        bool last =
            bytes_equal(buf_bytes(&now), bytes_of(writers[i].body, probe->settings.body_bytes));
        bool won = writers[i].ok || (last && writers[i].err.kind == ERR_AMBIGUOUS);
        *ret_winners += won;
        *ret_last_is_winner |= won && last;
        free(writers[i].body);
    }
    return ok;
}

/* One race where exactly one writer may win. No winner at all (all were refused, as S3 may do with
 * 409) says nothing and is tried again a few times. */
static bool check_race(struct probe *probe, struct store_condition condition,
                       enum store_feature feature, const char *why, struct err *err)
{
    enum { TRIES = 5 };
    for (int i = 0; i < TRIES; i++) {
        unsigned winners = 0;
        bool last_is_winner = false;
        TRY(race(probe, condition, &winners, &last_is_winner, err));
        if (winners == 1 && last_is_winner) {
            return true;
        }
        if (winners > 0) {
            miss(probe, feature, why);
            return true;
        }
    }
    return err_set(err, ERR_TRANSIENT, "none of %u writers came through in %d races",
                   probe->settings.writers, TRIES);
}

static bool check_races(struct probe *probe, struct err *err)
{
    for (unsigned i = 0; i < probe->settings.rounds; i++) {
        if ((probe->result.features & STORE_CREATE_ONLY) != 0) {
            TRY(store_delete(probe->store, probe->key, err));
            TRY(check_race(probe, store_if_absent(), STORE_CREATE_ONLY,
                           "If-None-Match fails under a race: two writers created one object",
                           err));
        }
        if ((probe->result.features & STORE_CAS) != 0) {
            struct store_content content = content_of("before the race", 15);
            struct store_etag etag;
            TRY(store_put_settled(probe->store, probe->key, &content, store_always(), &etag, err));
            TRY(check_race(probe, store_if_match(&etag), STORE_CAS,
                           "If-Match fails under a race: an update was lost", err));
        }
    }
    return true;
}

/* Probes of processes that were killed leave their object behind. Best effort. */
static void remove_old_probes(struct store *store)
{
    struct store_page page = {0};
    struct err err;
    if (store_list(store, "_probe/", false, &page, &err)) {
        int64_t oldest_us = clock_now_us() - old_us;
        for (size_t i = 0; i < page.count; i++) {
            bool ok = page.entries[i].modified_us > oldest_us ||
                      store_delete(store, page.entries[i].key, &err);
            (void)ok;
        }
    }
    store_page_done(&page);
}

bool store_probe(struct store *store, const struct store_probe_settings *settings,
                 struct store_probe_result *ret_result, struct err *err)
{
    struct probe probe = {.store = store,
                          .settings = *settings,
                          .result = {.features = STORE_CAS | STORE_CREATE_ONLY}};
    probe.settings.writers = settings->writers == 0 ? 4 : settings->writers;
    probe.settings.rounds = settings->rounds == 0 ? 3 : settings->rounds;
    probe.settings.body_bytes = settings->body_bytes == 0 ? 512 * 1024 : settings->body_bytes;
    CHECK(probe.settings.writers >= 2 && probe.settings.writers <= WRITERS_MAX);
    CHECK(probe.settings.body_bytes > BODY_SMALL);
    char random[17];
    os_random_hex(random, 16);
    snprintf(probe.folder, sizeof probe.folder, "_probe/%s/", random);
    snprintf(probe.key, sizeof probe.key, "%sobject", probe.folder);

    bool ok = check_basics(&probe, err) && check_one_by_one(&probe, err) &&
              check_races(&probe, err);
    struct err gone = {0};
    if (!store_delete(store, probe.key, &gone) && ok) {
        *err = gone;
        ok = false;
    }
    if (!ok) {
        err_place(err, ERR_OF_STORE);
        return err_wrap(err, "the store's probe");
    }
    remove_old_probes(store);
    atomic_store(&store->features, probe.result.features);
    *ret_result = probe.result;
    return true;
}
