/* This member's rows of a build go into the store, for the builders of other shards. */
#ifndef TIDEMARK_CONSUMER_MEMBER_PART_JOB_H
#define TIDEMARK_CONSUMER_MEMBER_PART_JOB_H

#include "adapters/store.h"
#include "checkpoint/shards/build_thread.h"
#include "checkpoint/spill/contribution.h"
#include "core/snapshot/names.h"

struct part_settings { /* borrowed */
    struct store *store;
    const struct names *names;
    const char *folder; /* for the file in the making */
    const char *member;
    uint64_t incarnation;
};

struct part_job {
    struct work work;
    const struct part_settings *settings;
    struct contribution *from; /* one user */
    struct arena *arena;
    const char *name; /* of the object */
    bool ok;
    struct err err;
    const char *url;
    const char *digest;
    uint64_t rows;
    uint64_t bytes;
};

/* `sequence`: never the same for two parts of one incarnation. */
struct part_job *part_job_new(const struct part_settings *settings, const char *run_id,
                              struct contribution *from, uint64_t sequence);

/* The rows grouped anew: instead of those it was made with. Before it runs. */
void part_job_set_rows(struct part_job *job, struct contribution *from);

#endif
