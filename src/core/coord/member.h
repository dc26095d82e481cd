/* A member of the source group, as a pure machine: event in, commands out. */
#ifndef TIDEMARK_CORE_COORD_MEMBER_H
#define TIDEMARK_CORE_COORD_MEMBER_H

#include "core/coord/fold.h"
#include "core/coord/member_event.h"

/* The happy path: the ledger is read to its end; ASSIGNED, START_PARTITION; PROGRESS again and
 * again; a CLOSE, the positions pass its cut, SEAL; READY; PLAN, [STORE_PART, PART]; BUILD;
 * ATTEMPT; COMMIT, FORGET; PUBLISHED, MIRROR_OFFSETS.
 *
 * Used by one thread, the shell: it reads the ledger from its start with read_committed, owns a
 * plain idempotent producer, and talks to the data plane (source, buffers, spills, builder). */
struct member;

/* `incarnation` must be greater than at any earlier start of this member (the clock will do). */
struct member *member_new(const struct coord_settings *borrowed_settings, const char *member,
                          uint64_t incarnation, uint64_t seed);
struct member *member_free(struct member *member); /* takes NULL; returns NULL */

/* What PROGRESS says for people beside what the machine knows; nothing follows from it. Changed
 * words are said with the next PROGRESS that is due. Texts are copied, "" says nothing. */
void member_note(struct member *member, const char *paused, const char *leading);

void member_step(struct member *member, const struct member_event *event, struct member_out *out);

/* For /status and `tidemark build`. */
const struct fold *member_fold(const struct member *member);
bool member_ready(const struct member *member); /* the ledger was read to its end once */
bool member_left(const struct member *member);
size_t member_paused(const struct member *member, enum member_pause reason);
const char *member_pause_name(enum member_pause reason); /* the setting that is the bound; "" */
const char *member_doing(const struct member *member);

#endif
