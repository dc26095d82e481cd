/* What became of an operator's record, as the ledger tells it: pure, for the commands that wait. */
#ifndef TIDEMARK_CONSUMER_OPERATOR_OPERATOR_WATCH_H
#define TIDEMARK_CONSUMER_OPERATOR_OPERATOR_WATCH_H

#include "core/coord/fold.h"

enum operator_state {
    OPERATOR_WAITING,
    OPERATOR_DONE,      /* obeyed */
    OPERATOR_REFUSED,   /* it will never be: `text` says why */
    OPERATOR_NO_LEADER, /* nobody is there who could answer */
};

/* One HOLD, RESUME, TRIGGER, SKIP or ACCEPT that is waited for. */
struct operator_watch {
    enum message_kind kind;
    char id[MESSAGE_NAME_MAX + 1];
    int64_t offset;       /* of the record; -1: not read back yet */
    int64_t timestamp_us; /* by the broker's clock */
    enum operator_state state;
    uint64_t build;                    /* that answers it; 0: not known yet */
    bool empty;                        /* TRIGGER: the build has no rows, so there is no snapshot */
    char run_id[MESSAGE_NAME_MAX + 1]; /* of the snapshot that came of it; HOLD: see below; "" */
    char text[ERR_MESSAGE_MAX];        /* one line for people: what is known so far */
};

/* `id` is that of the record. */
void operator_watch_init(struct operator_watch *watch, enum message_kind kind, const char *id);

/* To be called after each record of the ledger that was folded, beginning with the record itself;
 * `entry_offset` is its offset. DONE means:
 *   HOLD     HELD: no pointer write follows, but maybe that of `run_id`, which was under way (R20)
 *   RESUME   the COMMIT that answers it; `build` and `run_id` are of the snapshot it goes on from
 *   TRIGGER  the snapshot is published, or the build had no rows
 *   SKIP     a COMMIT has used it up
 *   ACCEPT   the snapshot is published */
void operator_watch_look(struct operator_watch *watch, const struct fold *fold);

/* Has nobody been heard of for so long that nobody leads? `now_us` is the broker's clock. The text
 * says what is known: "no member was ever here", "member a left", … */
bool operator_watch_silent(const struct fold *fold, int64_t now_us, int64_t quiet_us,
                           char ret_text[ERR_MESSAGE_MAX]);

/* The run whose pointer write may still land though nobody answers: committed and not known to be
 * published; NULL: none. */
const char *operator_watch_may_appear(const struct fold *fold);

#endif
