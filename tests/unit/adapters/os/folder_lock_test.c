/* One process alone has a folder: another is told who, waits, and gets it when that one is gone. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adapters/os/clock.h"
#include "adapters/os/file.h"
#include "adapters/os/folder_lock.h"

static char *folder;

static void make(void)
{
    struct err err = {0};
    cr_assert(file_temp_folder("/tmp", "tidemark-lock", &folder, &err), "%s", err.message);
}

static void drop(void)
{
    struct err err = {0};
    cr_assert(file_remove_tree(folder, &err), "%s", err.message);
    free(folder);
}

TestSuite(folder_lock, .init = make, .fini = drop);

/* A process that has the lock when this returns, and keeps it until it is killed. */
static pid_t holder(void)
{
    int told[2];
    cr_assert_eq(pipe(told), 0);
    pid_t child = fork();
    if (child == 0) {
        struct folder_lock *lock = NULL;
        struct err err;
        bool taken = folder_lock_take(folder, 0, &lock, &err);
        _exit(!taken || write(told[1], "x", 1) != 1 ? 1 : (pause(), 0));
    }
    char byte;
    close(told[1]);
    cr_assert_eq(read(told[0], &byte, 1), 1);
    close(told[0]);
    return child;
}

Test(folder_lock, is_refused_with_the_process_that_has_it)
{
    struct folder_lock *lock = NULL;
    struct err err = {0};
    char process[64];
    pid_t child = holder();
    int64_t before = clock_mono_us();
    cr_assert_not(folder_lock_take(folder, 200 * 1000, &lock, &err));
    cr_assert_geq(clock_mono_us() - before, 200 * 1000);
    cr_assert_eq(err.kind, ERR_CONFLICT);
    snprintf(process, sizeof process, "process %ld on ", (long)child);
    cr_assert(strstr(err.message, process) != NULL, "%s", err.message);
    cr_assert(strstr(err.message, folder) != NULL, "%s", err.message);
    kill(child, SIGKILL);
    cr_assert_eq(waitpid(child, NULL, 0), child);
}

Test(folder_lock, is_had_by_the_next_when_the_process_is_killed)
{
    struct folder_lock *lock = NULL;
    struct err err = {0};
    pid_t child = holder();
    pid_t killer = fork();
    if (killer == 0) {
        clock_sleep_us(200 * 1000);
        kill(child, SIGKILL);
        _exit(0);
    }
    cr_assert(folder_lock_take(folder, 30 * 1000 * 1000, &lock, &err), "%s", err.message);
    cr_assert_eq(waitpid(child, NULL, WNOHANG), child, "it was not gone");
    cr_assert_eq(waitpid(killer, NULL, 0), killer);
    folder_lock_give(lock);
    cr_assert(folder_lock_take(folder, 0, &lock, &err), "%s", err.message);
    folder_lock_give(lock);
}

Test(folder_lock, a_folder_that_is_not_there)
{
    struct folder_lock *lock = NULL;
    struct err err = {0};
    cr_assert_not(folder_lock_take("/tmp/tidemark-no-such-folder", 0, &lock, &err));
    cr_assert_eq(err.kind, ERR_MISSING);
}

/* Who holds it is for people: a disk that is full does not refuse the lock. */
Test(folder_lock, is_had_on_a_full_disk)
{
    struct folder_lock *lock = NULL;
    struct folder_lock *second = NULL;
    struct err err = {0};
    struct rlimit none = {.rlim_cur = 0, .rlim_max = RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
    cr_assert(folder_lock_take(folder, 0, &lock, &err), "%s", err.message);
    cr_assert_not(folder_lock_take(folder, 0, &second, &err));
    cr_assert_eq(err.kind, ERR_CONFLICT, "%s", err.message);
    folder_lock_give(lock);
}
