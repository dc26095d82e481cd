/* What a proof of a snapshot found, counted in full and listed up to a limit. */
#ifndef TIDEMARK_CONSUMER_VERIFY_VERIFY_REPORT_H
#define TIDEMARK_CONSUMER_VERIFY_VERIFY_REPORT_H

#include "core/base/arena.h"
#include "core/base/buf.h"

enum verify_kind {
    VERIFY_ROW_MISSING, /* the topics have it, the snapshot does not */
    VERIFY_ROW_EXTRA,   /* the snapshot has it, and should not */
    VERIFY_ROW_CHANGED, /* another value */
    VERIFY_FILE,        /* a shard's file: missing, unreadable, or other bytes of the same rows */
    VERIFY_SIDECAR,
    VERIFY_MANIFEST, /* a member of the manifest */
    VERIFY_ACCOUNT,  /* a number of a partition's account */
    /* no differences: */
    VERIFY_UNPROVED, /* what the log does not hold any more, so that nobody can prove it */
    VERIFY_NOTE,
    VERIFY_KINDS,
};

/* What is not known or has no place in a kind is NULL, or -1. */
struct verify_finding {
    enum verify_kind kind;
    int64_t shard;
    const char *topic; /* with partition: whose account, whose range, or whose record it is */
    int32_t partition;
    int64_t from; /* offset of the record; with `to` the range [from, to) */
    int64_t to;
    const char *key;      /* as people read it */
    const char *what;     /* member of manifest or account */
    const char *expected; /* as the topics have it */
    const char *found;    /* in the snapshot */
};

struct verify_report {
    struct arena *arena;
    size_t limit; /* findings listed of each kind */
    struct verify_finding *findings;
    size_t count;
    size_t capacity;
    uint64_t counts[VERIFY_KINDS];
    uint64_t records; /* read */
    uint64_t rows;    /* of the snapshot, compared or in files that are the same */
    uint32_t shards;  /* looked at */
    uint32_t same_files;
    uint32_t by_rows; /* whose rows were compared one by one */
    const char *base; /* run of the state that it was made on, which is taken as it is; NULL: none
                       */
};

void verify_report_init(struct verify_report *report, size_t limit);
void verify_report_done(struct verify_report *report);
void verify_report_auto(struct verify_report *report);

/* A finding with nothing but its kind. */
struct verify_finding verify_finding(enum verify_kind kind);
/* Texts are copied where the finding is listed. */
void verify_report_add(struct verify_report *report, const struct verify_finding *finding);

uint64_t verify_report_differences(const struct verify_report *report);

const char *verify_kind_name(enum verify_kind kind); /* "row_missing", … */
/* One line for people. */
void verify_finding_print(const struct verify_finding *finding, struct buf *out);

/* `14 bytes, sha256 3f…, "the first bytes"`: what is no printable ASCII stands as \\xNN. */
const char *verify_value_text(struct bytes value, struct arena *arena);

#endif
