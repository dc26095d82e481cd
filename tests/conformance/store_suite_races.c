/* Many threads on one store. */
#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

#include "adapters/os/thread.h"
#include "tests/conformance/store_suite.h"

enum { THREADS = 4, STEPS = 12, BODY = 300 * 1024, LARGE_BODY = 17 * 1024 * 1024 };

struct crowd {
    struct store *store;
    size_t body;
    atomic_int winners;
    atomic_int faults;
    atomic_int next;
    struct err err; /* of some fault */
};

static void run_all(struct crowd *crowd, void (*work)(void *argument))
{
    struct thread *threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        threads[i] = thread_new("crowd", work, crowd);
    }
    for (int i = 0; i < THREADS; i++) {
        thread_join(threads[i]);
    }
}

static void fault(struct crowd *crowd, const struct err *err)
{
    if (atomic_fetch_add(&crowd->faults, 1) == 0) {
        crowd->err = *err;
    }
}

/* A counter under compare-and-swap: every step that says "done" must be in the end result. */
static void count_up(void *argument)
{
    struct crowd *crowd = argument;
    for (int done = 0; done < STEPS;) {
        struct err err = {0};
        struct store_info info;
        struct buf now;
        buf_init(&now, 100);
        char next[32];
        bool ok = store_get(crowd->store, "counter", &now, &info, &err);
        snprintf(next, sizeof next, "%d", atoi(buf_text(&now)) + 1);
        buf_done(&now);
        struct store_content content = suite_text(next);
        ok = ok &&
             store_put(crowd->store, "counter", &content, store_if_match(&info.etag), NULL, &err);
        if (ok) {
            done++;
        } else if (err.kind != ERR_CONFLICT) {
            fault(crowd, &err);
            return;
        }
    }
}

static void no_update_is_lost(const struct store_suite *suite, struct store *store)
{
    (void)suite;
    static struct crowd crowd;
    crowd = (struct crowd){.store = store};
    store_suite_put(store, "counter", "0");
    run_all(&crowd, count_up);
    if (crowd.faults != 0) {
        store_suite_fail(__FILE__, __LINE__, "a fault: %s", crowd.err.message);
    }
    char wanted[32];
    snprintf(wanted, sizeof wanted, "%d", THREADS * STEPS);
    store_suite_expect(store, "counter", wanted);
}

static void create_once(void *argument)
{
    struct crowd *crowd = argument;
    int me = atomic_fetch_add(&crowd->next, 1);
    uint8_t *bytes = store_suite_bytes(crowd->body, (unsigned)me);
    struct store_content content = {.bytes = bytes_of(bytes, crowd->body)};
    struct err err = {0};
    if (store_put(crowd->store, "once", &content, store_if_absent(), NULL, &err)) {
        atomic_fetch_add(&crowd->winners, 1 << (8 * me));
    } else if (err.kind != ERR_CONFLICT) {
        fault(crowd, &err);
    }
    free(bytes);
}

static void race_to_create(struct store *store, size_t body, int rounds)
{
    static struct crowd crowd;
    struct err err = {0};
    for (int round = 0; round < rounds; round++) {
        crowd = (struct crowd){.store = store, .body = body};
        EXPECT_OK(store_delete(store, "once", &err));
        run_all(&crowd, create_once);
        if (crowd.faults != 0) {
            store_suite_fail(__FILE__, __LINE__, "a fault: %s", crowd.err.message);
        }
        struct buf now;
        buf_init(&now, body);
        EXPECT_OK(store_get(store, "once", &now, NULL, &err));
        for (int i = 0; i < THREADS; i++) {
            uint8_t *bytes = store_suite_bytes(body, (unsigned)i);
            bool stored = bytes_equal(buf_bytes(&now), bytes_of(bytes, body));
            EXPECT(stored == (crowd.winners == 1 << (8 * i)));
            free(bytes);
        }
        buf_done(&now);
    }
}

static void one_creator_wins(const struct store_suite *suite, struct store *store)
{
    (void)suite;
    race_to_create(store, BODY, 5);
}

/* On S3 in parts: the condition is that of the completion. */
static void one_creator_wins_with_large_objects(const struct store_suite *suite,
                                                struct store *store)
{
    (void)suite;
    race_to_create(store, LARGE_BODY, 2);
}

/* Readers see one version or another, never a mix and never nothing. */
static void overwrite(struct crowd *crowd, int me)
{
    for (int i = 0; i < STEPS; i++) {
        uint8_t *bytes = malloc(BODY);
        CHECK(bytes != NULL);
        memset(bytes, 'a' + me, BODY);
        struct store_content content = {.bytes = bytes_of(bytes, BODY)};
        struct err err = {0};
        if (!store_put(crowd->store, "torn", &content, store_always(), NULL, &err)) {
            fault(crowd, &err);
        }
        free(bytes);
    }
}

static void read_whole(struct crowd *crowd)
{
    for (int i = 0; i < STEPS; i++) {
        struct err err = {0};
        struct buf now;
        buf_init(&now, BODY);
        if (!store_get(crowd->store, "torn", &now, NULL, &err)) {
            fault(crowd, &err);
        } else if (now.size != BODY || memcmp(now.data, now.data + 1, BODY - 1) != 0) {
            err_set(&err, ERR_CORRUPT, "a torn read");
            fault(crowd, &err);
        }
        buf_done(&now);
    }
}

static void read_or_overwrite(void *argument)
{
    struct crowd *crowd = argument;
    int me = atomic_fetch_add(&crowd->next, 1);
    if (me % 2 == 0) {
        overwrite(crowd, me);
    } else {
        read_whole(crowd);
    }
}

static void no_read_is_torn(const struct store_suite *suite, struct store *store)
{
    (void)suite;
    static struct crowd crowd;
    crowd = (struct crowd){.store = store};
    overwrite(&crowd, 0);
    run_all(&crowd, read_or_overwrite);
    if (crowd.faults != 0) {
        store_suite_fail(__FILE__, __LINE__, "a fault: %s", crowd.err.message);
    }
}

static void the_probe_finds_both_features(const struct store_suite *suite, struct store *store)
{
    (void)suite;
    struct err err = {0};
    struct store_probe_settings settings = {0};
    struct store_probe_result result;
    EXPECT(store_features(store) == 0);
    EXPECT_OK(store_probe(store, &settings, &result, &err));
    if (result.features != (STORE_CAS | STORE_CREATE_ONLY)) {
        store_suite_fail(__FILE__, __LINE__, "features %u: %s", result.features, result.text);
    }
    EXPECT(store_features(store) == result.features);
    EXPECT(result.text[0] == '\0');
    struct store_page page = {0};
    EXPECT_OK(store_list(store, "", false, &page, &err));
    EXPECT(page.count == 0);
    store_page_done(&page);
}

const struct store_case store_suite_races[] = {
    {"no_update_is_lost", no_update_is_lost},
    {"one_creator_wins", one_creator_wins},
    {"one_creator_wins_with_large_objects", one_creator_wins_with_large_objects},
    {"no_read_is_torn", no_read_is_torn},
    {"the_probe_finds_both_features", the_probe_finds_both_features},
    {NULL, NULL},
};
