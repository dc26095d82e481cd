/* The leader of a term, as a pure machine: event in, commands out. */
#ifndef TIDEMARK_CORE_COORD_LEADER_H
#define TIDEMARK_CORE_COORD_LEADER_H

#include "core/coord/fold.h"
#include "core/coord/leader_event.h"

/* The happy path: ELECTED, INIT_TRANSACTIONS, LEADER, read up to it; pointer looked at; a trigger,
 * CLOSE; READY from all; PLAN; ATTEMPTs; STAGE_MANIFEST, COMMIT, read back, PUT_MANIFEST,
 * GET_POINTER, SWAP_POINTER, GET_POINTER, PUBLISHED, tombstones.
 *
 * What can go wrong: anything, between any two of them. So the machine keeps nothing that the
 * ledger does not say, except what it waits for: at most one command with a result is out at a
 * time, and when none is, the next one follows from the ledger alone (docs/protocol.md, "duties").
 *
 * Used by one thread, the shell: it joins the leader group, reads the ledger from its start with
 * read_committed (also while it does not lead), owns the transactional producer and the store. */
struct leader;

/* `member` names this process in LEADER. */
struct leader *leader_new(const struct coord_settings *borrowed_settings, const char *member,
                          uint64_t seed);
struct leader *leader_free(struct leader *leader); /* takes NULL; returns NULL */

void leader_step(struct leader *leader, const struct leader_event *event, struct leader_out *out);

/* For /status: borrowed, valid until the next step. */
enum leader_phase leader_phase(const struct leader *leader);
const char *leader_phase_name(enum leader_phase phase);
int64_t leader_term(const struct leader *leader);      /* -1: none */
const char *leader_doing(const struct leader *leader); /* "waits for READY of build 7 …" */
/* With these settings no build can be begun on this head: leader_doing says why. */
bool leader_unfit(const struct leader *leader);
const struct fold *leader_fold(const struct leader *leader);

#endif
