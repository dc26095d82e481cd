/* The files of a base that one shard of the next state is made from, open. */
#ifndef TIDEMARK_CHECKPOINT_SHARDS_STATE_FILES_H
#define TIDEMARK_CHECKPOINT_SHARDS_STATE_FILES_H

#include "adapters/kv.h"
#include "checkpoint/shards/base_rows.h"
#include "checkpoint/shards/state_base.h"

struct state_files_request { /* all borrowed */
    struct state_base *base;
    const struct state_manifest *manifest;
    struct kv *kv;
    const struct router *router; /* of now */
    enum key_encoding key_encoding;
    enum vector_metric metric; /* where the kv has vectors */
    uint32_t num_dbs;
    uint32_t shard;
    bool whole;              /* shards are divided or made otherwise now */
    bool exact;              /* with their order objects, where the base has them (R6) */
    const char *stem;        /* of local names: "<stem>-base00000.db" and ".order" */
    const atomic_bool *stop; /* may be NULL */
};

struct state_files {
    struct base_file *files;
    size_t count;
    const struct base_rule *rule; /* NULL: the file is taken as it is */
    const char **paths;           /* of the files, and behind them of their order objects */
};

/* The shard's last file (none where it was empty); of a base that is divided otherwise all that may
 * hold keys of the shard. In the arena; ends with state_files_close, also when this fails. MISSING,
 * CORRUPT, LIMIT (too many files; says what to do), STOPPED, those of the store. */
MUST_CHECK bool state_files_open(const struct state_files_request *request, struct arena *arena,
                                 struct state_files *files, struct err *err);
void state_files_close(struct state_files *files);

#endif
