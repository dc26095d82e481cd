/* The doctor's checks of this machine: its work folder, its port, its clock. */
#include "consumer/doctor/doctor_machine.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "adapters/os/clock.h"
#include "adapters/os/file.h"
#include "adapters/os/folder_lock.h"
#include "adapters/os/listen.h"
#include "consumer/operator/operator.h"

enum {
    CLOCK_SLACK_US = 5 * 1000 * 1000,
    CLOCK_TURN_US = 500 * 1000,
};

void doctor_check_work_folder(struct doctor *doctor, const struct settings *settings)
{
    const char *folder = settings->limits.work_folder;
    char *made = NULL;
    uint64_t free_bytes = 0;
    struct err err;
    if (!file_make_folders(folder, &err) || !file_temp_folder(folder, "doctor", &made, &err) ||
        !file_write(arena_format(doctor->arena, "%s/probe", made), bytes_of_text("probe"), 0600,
                    &err) ||
        !file_remove_tree(made, &err) || !file_free_bytes(folder, &free_bytes, &err)) {
        doctor_say(doctor, DOCTOR_FAIL, "work folder", "%s; look at limits.work_folder",
                   err.message);
    } else if (settings->limits.disk_budget > free_bytes) {
        doctor_say(doctor, DOCTOR_WARN, "work folder",
                   "%s has %" PRIu64 " MiB free, and limits.disk_budget is %" PRIu64 " MiB", folder,
                   free_bytes >> 20, settings->limits.disk_budget >> 20);
    } else {
        doctor_say(doctor, DOCTOR_OK, "work folder", "%s can be written, %" PRIu64 " MiB free",
                   folder, free_bytes >> 20);
    }
    free(made);
}

/* A process has the lock of the member's folder: the member runs. */
static bool member_runs(const struct settings *settings, struct arena *arena)
{
    struct folder_lock *lock = NULL;
    struct err err;
    const char *folder =
        arena_format(arena, "%s/%s", settings->limits.work_folder, settings->member_id);
    if (access(arena_format(arena, "%s/lock", folder), F_OK) != 0) {
        return false; /* looking must not make it */
    }
    bool taken = !folder_lock_take(folder, 0, &lock, &err) && err.kind == ERR_CONFLICT;
    folder_lock_give(lock);
    return taken;
}

void doctor_check_listen(struct doctor *doctor, const struct settings *settings)
{
    static const char check[] = "status.listen";
    const char *wanted = settings->status.listen;
    struct listen_place place;
    char text[LISTEN_TEXT_MAX];
    struct err err;
    int socket = -1;
    const char *problem = listen_parse(wanted == NULL ? STATUS_LISTEN : wanted, &place);
    CHECK(problem == NULL); /* the settings were checked */
    if (place.off) {
        doctor_say(doctor, DOCTOR_OK, check, "off: no status server");
    } else if (listen_open(&place, &socket, text, &err)) {
        close(socket);
        doctor_say(doctor, DOCTOR_OK, check, "%s can be had",
                   wanted == NULL ? STATUS_LISTEN : wanted);
    } else if (err.kind == ERR_CONFLICT && member_runs(settings, doctor->arena)) {
        doctor_say(doctor, DOCTOR_OK, check,
                   "%s is in use, and member %s runs with this work folder",
                   wanted == NULL ? STATUS_LISTEN : wanted, settings->member_id);
    } else if (wanted == NULL && err.kind == ERR_CONFLICT) {
        doctor_say(doctor, DOCTOR_WARN, check,
                   "%s: this member would have no status server; set status.listen to another "
                   "port, or to \"off\"",
                   err.message);
    } else {
        doctor_say(doctor, DOCTOR_FAIL, check, "%s; set status.listen to another port",
                   err.message);
    }
}

/* ---- the clock ---- */

static bool somebody_is_there(const struct fold *fold)
{
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(fold, MESSAGE_PROGRESS, &at); entry != NULL;
         entry = fold_next(fold, MESSAGE_PROGRESS, &at)) {
        if (!entry->message.progress.leaving) {
            return true;
        }
    }
    return false;
}

static void say_skew(struct doctor *doctor, int64_t ahead_us, int64_t most_us)
{
    static const char check[] = "broker clock";
    if (llabs(ahead_us) > most_us) {
        doctor_say(doctor, DOCTOR_FAIL, check,
                   "the brokers' clock is %.1f s %s this machine's: a member here would not lead "
                   "(snapshot.max_clock_skew is %.1f s); set the clocks by NTP",
                   (double)llabs(ahead_us) / 1e6, ahead_us > 0 ? "ahead of" : "behind",
                   (double)most_us / 1e6);
    } else {
        doctor_say(doctor, DOCTOR_OK, check, "within %.1f s of this machine's",
                   (double)llabs(ahead_us) / 1e6 + 0.1);
    }
}

void doctor_check_broker_clock(struct doctor *doctor, const struct settings *settings)
{
    static const char check[] = "broker clock";
    AUTO(operator_session) struct operator_session *session = NULL;
    struct err err;
    if (!operator_new(settings, &session, &err)) {
        doctor_say(doctor, DOCTOR_FAIL, check, "%s", err.message);
        return;
    }
    /* a member says at least so often that it lives */
    int64_t wait_us = settings->kafka.session_timeout_us / 2 + CLOCK_SLACK_US;
    int64_t until_us = clock_mono_us() + wait_us;
    int64_t end = fold_end(operator_fold(session));
    bool somebody = somebody_is_there(operator_fold(session));
    while (somebody && clock_mono_us() < until_us) {
        if (!operator_refresh(session, CLOCK_TURN_US, &err)) {
            doctor_say(doctor, DOCTOR_FAIL, check, "%s", err.message);
            return;
        }
        if (fold_end(operator_fold(session)) > end) {
            /* it was appended while it was waited for, so it is of now */
            say_skew(doctor, operator_newest_now_us(session) - clock_now_us(),
                     settings->snapshot.max_clock_skew_us);
            return;
        }
    }
    if (somebody) {
        doctor_say(doctor, DOCTOR_WARN, check,
                   "not compared: no member has written to the ledger for %" PRId64
                   " s; whoever leads compares it first",
                   wait_us / 1000000);
    } else {
        doctor_say(doctor, DOCTOR_OK, check,
                   "not compared: no member runs; whoever leads compares it first");
    }
}
