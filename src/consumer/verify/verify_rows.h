/* The rows of a stored shard against those that its records make: which key, and whose record. */
#ifndef TIDEMARK_CONSUMER_VERIFY_VERIFY_ROWS_H
#define TIDEMARK_CONSUMER_VERIFY_VERIFY_ROWS_H

#include "consumer/verify/verify_report.h"
#include "core/record/key.h"
#include "core/route/route.h"
#include "core/spill/row_stream.h"
#include "core/spill/source_table.h"

struct verify_rows_request { /* all borrowed */
    enum key_encoding encoding;
    uint32_t num_dbs;
    uint32_t shard;
    const struct router *router; /* NULL: where keys belong is not known */
    enum row_order order;
    const struct source_table *sources; /* of the rows that are expected */
    const bool *lost;                   /* by source: the log cleaner took records; NULL: none */
    struct verify_report *report;
};

struct verify_rows_result {
    uint64_t stored; /* rows of the stored stream */
    uint64_t differences;
};

/* `expected` as build_merged gives it. A difference that may come of records that the log cleaner
 * took is VERIFY_UNPROVED. *ret_broken: it is the stored stream that failed. Errors: those of the
 * streams. */
MUST_CHECK bool verify_rows_compare(const struct verify_rows_request *request,
                                    struct row_stream *expected, struct row_stream *stored,
                                    struct verify_rows_result *ret_result, bool *ret_broken,
                                    struct err *err);

/* What a stream holds, where nobody knows what it should. */
struct verify_scan {
    uint64_t rows;
    struct buf key_min;
    struct buf key_max;
};

MUST_CHECK bool verify_rows_scan(struct row_stream *stored, struct verify_scan *scan,
                                 struct err *err);
void verify_scan_done(struct verify_scan *scan);

#endif
