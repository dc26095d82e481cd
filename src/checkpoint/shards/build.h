/* Sorted rows of many sets -> one shard file. */
#ifndef TIDEMARK_CHECKPOINT_SHARDS_BUILD_H
#define TIDEMARK_CHECKPOINT_SHARDS_BUILD_H

#include "adapters/kv.h"
#include "checkpoint/shards/base_rows.h"
#include "core/spill/dedupe.h"
#include "core/spill/filter.h"
#include "core/spill/row_set.h"

/* What a shard file is made of: a function of these, whatever the number of sets, their sizes, and
 * how often it is tried (PROTOCOL R2, R6). All borrowed until build_shard returns. */
struct build_request {
    struct kv *kv;
    const char *path; /* of the new file, or the folder of the kv's files; an old one there is
                         removed first: attempts are retried. Files in the making begin so */
    uint32_t shard;   /* = the sections' group */
    enum row_order order;
    uint32_t page_size;   /* 0: auto (SNAPSHOT-FORMAT section 6), or the kv has none */
    uint64_t cache_bytes; /* memory of the kv; the streams' comes on top */
    const struct source_table *sources; /* the build's */
    const struct filter *filter;        /* by numbers of that table */
    struct row_set *const *sets;        /* all in `order` */
    size_t set_count;
    const struct base_file *base;      /* for `state`: files with the rows before this build … */
    size_t base_count;                 /* … of which no key is in two */
    const struct base_rule *base_rule; /* NULL: the shard's last file, all of it */
    bool exact;              /* a row of the base is as new as its record was, and no older (R6) */
    const char *order_path;  /* with `exact`: where the order object goes, removed first, too; NULL:
                                none is made */
    const atomic_bool *stop; /* may be NULL */
};

struct build_result {
    struct dedupe_counts counts; /* by source of the build; what ATTEMPT reports */
    uint64_t rows;               /* stored */
    uint64_t file_bytes;
    uint64_t value_bytes;
    uint64_t order_bytes; /* of the order object; 0: there are not even deleted keys, and no file */
    uint32_t page_size;   /* the one chosen; 0: the kv has none */
    bool whole_rows;      /* as kv_written has it */
    char checkpoint_id[KV_CHECKPOINT_SIZE]; /* the kv's own; "": it has none */
    struct buf key_min;                     /* stored bytes; empty when rows is 0 */
    struct buf key_max;
    int64_t sizes_us; /* reading all rows once to choose the page size; 0 where bounds told it */
    int64_t write_us; /* merging and writing */
};

void build_result_done(struct build_result *result);

/* Errors: STOPPED, CORRUPT (a spill; named), LIMIT (disk full), MISSING, TRANSIENT. On failure no
 * file is left. Blocks: build threads only. With no rows a file with an empty table is made all the
 * same: whether an empty shard is published is the caller's business. */
MUST_CHECK bool build_shard(const struct build_request *request, struct build_result *ret_result,
                            struct err *err);

/* All rows that build_shard chooses from, in order: keys ascending, the newest row of a key first,
 * tombstones among them, `source` by number of the request's table (ROW_SOURCE_BASE: of `base`,
 * also where its order is known).
 * `kv` and the sizes are not looked at. The request and what it borrows outlive the stream.
 * Errors: as build_shard. */
MUST_CHECK bool build_merged(const struct build_request *request, struct row_stream **ret_rows,
                             struct err *err);

#endif
