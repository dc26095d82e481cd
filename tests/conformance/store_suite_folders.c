/* What only the folder driver promises: processes that share a folder, and that are killed. */
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adapters/os/clock.h"
#include "adapters/os/thread.h"
#include "tests/conformance/store_suite.h"

enum { WORKERS = 4, STEPS = 60, BODY = 200 * 1024, KILLS = 25 };

struct crowd {
    struct store *store;
    atomic_int next;
    atomic_int faults;
    struct err err; /* of the first fault */
};

/* Folders that a delete leaves empty must not get in the way of a put into them. This is the folder
 * driver's promise; the servers, which keep objects in folders too, now and then refuse such a put
 * (MinIO by 403, versitygw by 409). */
static void put_and_delete(void *argument)
{
    struct crowd *crowd = argument;
    int me = atomic_fetch_add(&crowd->next, 1);
    for (int i = 0; i < STEPS; i++) {
        char key[64];
        snprintf(key, sizeof key, "deep/er/folder/%d", me);
        struct err err = {0};
        struct store_content content = suite_text("x");
        if (!store_put(crowd->store, key, &content, store_always(), NULL, &err) ||
            !store_delete(crowd->store, key, &err)) {
            if (atomic_fetch_add(&crowd->faults, 1) == 0) {
                crowd->err = err;
            }
        }
    }
}

static void puts_and_deletes_do_not_meet(const struct store_suite *suite, struct store *store)
{
    (void)suite;
    static struct crowd crowd;
    crowd = (struct crowd){.store = store};
    struct thread *threads[WORKERS];
    for (int i = 0; i < WORKERS; i++) {
        threads[i] = thread_new("crowd", put_and_delete, &crowd);
    }
    for (int i = 0; i < WORKERS; i++) {
        thread_join(threads[i]);
    }
    if (crowd.faults != 0) {
        store_suite_fail(__FILE__, __LINE__, "a fault: %s", crowd.err.message);
    }
}

/* In a process of its own: the number of faults. */
static int count_up(struct store *store)
{
    int faults = 0;
    for (int done = 0; done < STEPS && faults == 0;) {
        struct err err = {0};
        struct store_info info;
        char next[32];
        struct buf now;
        buf_init(&now, 100);
        bool ok = store_get(store, "counter", &now, &info, &err);
        snprintf(next, sizeof next, "%d", atoi(buf_text(&now)) + 1);
        buf_done(&now);
        struct store_content content = suite_text(next);
        ok = ok && store_put(store, "counter", &content, store_if_match(&info.etag), NULL, &err);
        done += ok;
        faults += !ok && err.kind != ERR_CONFLICT;
    }
    return faults;
}

static void processes_share_the_lock(const struct store_suite *suite, struct store *store)
{
    (void)suite;
    pid_t children[WORKERS];
    store_suite_put(store, "counter", "0");
    for (int i = 0; i < WORKERS; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            _exit(count_up(store));
        }
    }
    int faults = 0;
    for (int i = 0; i < WORKERS; i++) {
        int status = 0;
        faults += waitpid(children[i], &status, 0) != children[i] || status != 0;
    }
    EXPECT(faults == 0);
    char wanted[32];
    snprintf(wanted, sizeof wanted, "%d", WORKERS * STEPS);
    store_suite_expect(store, "counter", wanted);
}

_Noreturn static void overwrite_for_ever(struct store *store)
{
    uint8_t *bytes = malloc(BODY);
    CHECK(bytes != NULL);
    for (unsigned i = 0;; i++) {
        memset(bytes, 'a' + (int)(i % 26), BODY);
        struct err err = {0};
        struct store_content content = {.bytes = bytes_of(bytes, BODY)};
        if (!store_put(store, "o", &content, store_always(), NULL, &err)) {
            _exit(1);
        }
    }
}

/* The object is whole after each kill, the dead writer's lock holds nobody up, and what it left
 * shows in no listing. */
static void a_killed_writer_leaves_no_half(const struct store_suite *suite, struct store *store)
{
    (void)suite;
    struct err err = {0};
    uint8_t *first = calloc(1, BODY);
    CHECK(first != NULL);
    struct store_content content = {.bytes = bytes_of(first, BODY)};
    EXPECT_OK(store_put(store, "o", &content, store_always(), NULL, &err));
    free(first);
    for (int i = 0; i < KILLS; i++) {
        pid_t child = fork();
        if (child == 0) {
            overwrite_for_ever(store);
        }
        clock_sleep_us(1000 + 700 * i);
        kill(child, SIGKILL);
        int status = 0;
        EXPECT(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
        struct buf now;
        buf_init(&now, BODY);
        EXPECT_OK(store_get(store, "o", &now, NULL, &err));
        EXPECT(now.size == BODY && memcmp(now.data, now.data + 1, BODY - 1) == 0);
        buf_done(&now);
    }
    store_suite_put(store, "o", "after");
    struct store_page page = {0};
    EXPECT_OK(store_list(store, "", false, &page, &err));
    EXPECT(page.count == 1);
    store_page_done(&page);
}

const struct store_case store_suite_folders[] = {
    {"puts_and_deletes_do_not_meet", puts_and_deletes_do_not_meet},
    {"processes_share_the_lock", processes_share_the_lock},
    {"a_killed_writer_leaves_no_half", a_killed_writer_leaves_no_half},
    {NULL, NULL},
};
