/* The rows of a stored shard against those that its records make: which key, and whose record. */
#include "consumer/verify/verify_rows.h"

#include "checkpoint/reading/rows_differ.h"

enum { KEY_BYTES_MAX = 16 << 20 };

struct comparing {
    const struct verify_rows_request *request;
    uint64_t differences;
    struct arena *arena; /* of one finding */
};

static const char *key_text(struct comparing *comparing, struct bytes key)
{
    AUTO(buf) struct buf text;
    buf_init(&text, KEY_BYTES_MAX);
    key_print(comparing->request->encoding, key, &text);
    return arena_text(comparing->arena, buf_bytes(&text));
}

/* Why a key should not be in this shard. */
static const char *reason_against(struct comparing *comparing, struct bytes key)
{
    const struct verify_rows_request *request = comparing->request;
    struct logical_key logical;
    uint64_t token = 0;
    struct err err;
    if (request->router != NULL && key_load(request->encoding, key, &logical, &err) &&
        route_key(request->router, &logical, &token, &err)) {
        uint32_t home = route_db_id(request->router, token, request->num_dbs);
        if (home != request->shard) {
            return arena_format(comparing->arena, "the key belongs to shard %u", home);
        }
    }
    return "no record of the build has this key";
}

/* The log cleaner takes older records of a key before newer ones, so within one partition what is
 * left is the newest; elsewhere, and in the order of event times, it may not be. */
static bool may_be_lost(const struct verify_rows_request *request, enum rows_difference difference,
                        const struct row *expected)
{
    for (uint32_t i = 0; request->lost != NULL && i < request->sources->count; i++) {
        bool own = expected != NULL && expected->source == i;
        if (request->lost[i] &&
            (difference == ROWS_ADDED || !own || request->order == ROW_ORDER_EVENT_TIME)) {
            return true;
        }
    }
    return false;
}

static void add_record(const struct verify_rows_request *request, const struct row *expected,
                       struct verify_finding *finding)
{
    if (expected != NULL && expected->source != ROW_SOURCE_BASE) {
        const struct source_name *name = &request->sources->names[expected->source];
        finding->topic = name->topic;
        finding->partition = name->partition;
        finding->from = expected->offset;
    }
}

static bool found(void *to, enum rows_difference difference, const struct row *left,
                  const struct row *right, struct err *err)
{
    static const enum verify_kind kinds[] = {[ROWS_ADDED] = VERIFY_ROW_EXTRA,
                                             [ROWS_REMOVED] = VERIFY_ROW_MISSING,
                                             [ROWS_CHANGED] = VERIFY_ROW_CHANGED};
    (void)err;
    struct comparing *comparing = to;
    const struct verify_rows_request *request = comparing->request;
    bool unproved = may_be_lost(request, difference, left);
    struct verify_finding finding = verify_finding(unproved ? VERIFY_UNPROVED : kinds[difference]);
    comparing->differences++;
    finding.shard = request->shard;
    if (request->report->counts[finding.kind] < request->report->limit) {
        struct bytes key = left != NULL ? left->key : right->key;
        finding.key = key_text(comparing, key);
        add_record(request, left, &finding);
        if (right != NULL && !right->tombstone) {
            finding.found = verify_value_text(right->value, comparing->arena);
        }
        finding.expected = left == NULL      ? reason_against(comparing, key)
                           : left->tombstone ? "a tombstone"
                                             : verify_value_text(left->value, comparing->arena);
    }
    verify_report_add(request->report, &finding);
    arena_reset(comparing->arena);
    return true;
}

bool verify_rows_compare(const struct verify_rows_request *request, struct row_stream *expected,
                         struct row_stream *stored, struct verify_rows_result *ret_result,
                         bool *ret_broken, struct err *err)
{
    struct comparing comparing = {.request = request, .arena = arena_new(16 * 1024)};
    struct rows_differ_sink sink = {.found = found, .to = &comparing};
    struct rows_differ_counts counts;
    bool done = rows_differ(expected, stored, &sink, NULL, &counts, ret_broken, err);
    *ret_result =
        (struct verify_rows_result){.stored = counts.right, .differences = comparing.differences};
    arena_free(comparing.arena);
    return done;
}

bool verify_rows_scan(struct row_stream *stored, struct verify_scan *scan, struct err *err)
{
    *scan = (struct verify_scan){0};
    buf_init(&scan->key_min, KEY_BYTES_MAX);
    buf_init(&scan->key_max, KEY_BYTES_MAX);
    for (;;) {
        struct row row;
        bool more = false;
        TRY(row_stream_next(stored, &row, &more, err));
        if (!more) {
            return true;
        }
        if (scan->rows++ == 0) {
            buf_add_bytes(&scan->key_min, row.key);
        }
        buf_clear(&scan->key_max);
        buf_add_bytes(&scan->key_max, row.key);
    }
}

void verify_scan_done(struct verify_scan *scan)
{
    buf_done(&scan->key_min);
    buf_done(&scan->key_max);
}
