/* Carries out one command of the leader machine. */
#ifndef TIDEMARK_CHECKPOINT_LEADER_LEADER_COMMAND_H
#define TIDEMARK_CHECKPOINT_LEADER_LEADER_COMMAND_H

#include "checkpoint/leader/leader_thread.h"
#include "checkpoint/leader/registry.h"
#include "checkpoint/leader/unowned.h"

/* What commands are carried out with. The leader thread's own. */
struct leader_hands {
    const struct leader_thread_settings *settings;
    struct leadership *leadership; /* the thread makes and frees it, and the next one */
    struct source_query *query;
    struct publish *publish;
    struct registry *registry;
    struct unowned unowned;
    uint64_t alerts;     /* so many were told */
    struct err refused;  /* of a step that only somebody's hand can mend; else of kind NONE */
    struct arena *arena; /* of the last result */
};

void leader_hands_init(struct leader_hands *hands, const struct leader_thread_settings *settings);
void leader_hands_done(struct leader_hands *hands);

/* True: the command has a result, and *ret_event is it; its memory is that of `hands` until the
 * next command. STEP_DOWN is the thread's own business. */
bool leader_command_run(struct leader_hands *hands, const struct leader_command *command,
                        int64_t now_us, struct leader_event *ret_event);

#endif
