/* A leader reduced to its answers to operators: a thread that reads the ledger and appends. */
#ifndef TIDEMARK_TESTS_CONFORMANCE_OPERATOR_LEADER_H
#define TIDEMARK_TESTS_CONFORMANCE_OPERATOR_LEADER_H

#include <stdatomic.h>

#include "adapters/ledger.h"
#include "adapters/os/thread.h"
#include "core/coord/message.h"

enum operator_leader_mood {
    OPERATOR_LEADER_ANSWERS,
    OPERATOR_LEADER_MUTE,  /* it says that it lives, and answers nothing */
    OPERATOR_LEADER_EMPTY, /* every trigger finds no rows */
};

struct operator_leader {
    struct ledger_settings settings; /* of one ledger */
    enum operator_leader_mood mood;
    const char *pointer; /* what it finds in _CURRENT: a RESUME of other bytes is void */
    struct thread *thread;
    atomic_bool stop;
};

void operator_leader_start(struct operator_leader *leader);
void operator_leader_stop(struct operator_leader *leader); /* says good-bye in the ledger */

/* One record, appended and acknowledged; its offset. */
int64_t operator_leader_append(struct ledger_writer *writer, const struct message *message);

#endif
