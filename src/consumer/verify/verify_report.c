/* What a proof of a snapshot found, counted in full and listed up to a limit. */
#include "consumer/verify/verify_report.h"

#include <inttypes.h>
#include <stdlib.h>

#include "adapters/crypto/digest.h"

enum { VALUE_SHOWN_BYTES = 48 };

static const char *const names[VERIFY_KINDS] = {
    [VERIFY_ROW_MISSING] = "row_missing",
    [VERIFY_ROW_EXTRA] = "row_extra",
    [VERIFY_ROW_CHANGED] = "row_changed",
    [VERIFY_FILE] = "file",
    [VERIFY_SIDECAR] = "sidecar",
    [VERIFY_MANIFEST] = "manifest",
    [VERIFY_ACCOUNT] = "account",
    [VERIFY_UNPROVED] = "unproved",
    [VERIFY_NOTE] = "note",
};

void verify_report_init(struct verify_report *report, size_t limit)
{
    *report = (struct verify_report){.arena = arena_new(16 * 1024), .limit = limit};
}

void verify_report_done(struct verify_report *report)
{
    free(report->findings);
    arena_free(report->arena);
    *report = (struct verify_report){0};
}

void verify_report_auto(struct verify_report *report)
{
    verify_report_done(report);
}

struct verify_finding verify_finding(enum verify_kind kind)
{
    return (struct verify_finding){
        .kind = kind, .shard = -1, .partition = -1, .from = -1, .to = -1};
}

static const char *keep(struct verify_report *report, const char *text)
{
    return text == NULL ? NULL : arena_text(report->arena, bytes_of_text(text));
}

void verify_report_add(struct verify_report *report, const struct verify_finding *finding)
{
    CHECK(finding->kind < VERIFY_KINDS);
    if (report->counts[finding->kind]++ >= report->limit) {
        return;
    }
    if (report->count == report->capacity) {
        report->capacity = report->capacity * 2 + 16;
        report->findings = realloc(report->findings, report->capacity * sizeof *report->findings);
        CHECK(report->findings != NULL);
    }
    struct verify_finding *added = &report->findings[report->count++];
    *added = *finding;
    added->topic = keep(report, finding->topic);
    added->key = keep(report, finding->key);
    added->what = keep(report, finding->what);
    added->expected = keep(report, finding->expected);
    added->found = keep(report, finding->found);
}

uint64_t verify_report_differences(const struct verify_report *report)
{
    uint64_t sum = 0;
    for (unsigned kind = 0; kind < VERIFY_UNPROVED; kind++) {
        sum += report->counts[kind];
    }
    return sum;
}

const char *verify_kind_name(enum verify_kind kind)
{
    CHECK(kind < VERIFY_KINDS);
    return names[kind];
}

/* "orders/1 offset 220", "orders/1 offsets 100 to 129", "orders/1". */
static void print_place(const struct verify_finding *finding, struct buf *out)
{
    buf_add_format(out, "%s/%" PRId32, finding->topic, finding->partition);
    if (finding->to > finding->from + 1) {
        buf_add_format(out, " offsets %" PRId64 " to %" PRId64, finding->from, finding->to - 1);
    } else if (finding->from >= 0) {
        buf_add_format(out, " offset %" PRId64, finding->from);
    }
}

/* The record that decides a key, and what it says. */
static void print_row(const struct verify_finding *finding, struct buf *out)
{
    buf_add_format(out, "key %s: ", finding->key);
    if (finding->kind == VERIFY_ROW_MISSING) {
        buf_add_text(out, "not in the snapshot");
    } else {
        buf_add_format(out, "the snapshot has %s", finding->found);
    }
    buf_add_text(out, "; ");
    if (finding->topic != NULL) {
        print_place(finding, out);
        buf_add_text(out, " has ");
    }
    buf_add_text(out, finding->expected);
}

void verify_finding_print(const struct verify_finding *finding, struct buf *out)
{
    if (finding->kind == VERIFY_ACCOUNT) {
        buf_add_text(out, "account of ");
        print_place(finding, out);
        buf_add_text(out, ": ");
    } else if (finding->kind == VERIFY_MANIFEST) {
        buf_add_text(out, "manifest: ");
    }
    if (finding->shard >= 0) {
        buf_add_format(out, "shard %" PRId64 ": ", finding->shard);
    }
    if (finding->key != NULL) {
        print_row(finding, out);
        return;
    }
    if (finding->topic != NULL && finding->kind != VERIFY_ACCOUNT) {
        print_place(finding, out);
        buf_add_text(out, ": ");
    }
    if (finding->what != NULL) {
        buf_add_text(out, finding->what);
    }
    if (finding->found != NULL) {
        buf_add_format(out, "%s%s", finding->what == NULL ? "" : " is ", finding->found);
    }
    if (finding->expected != NULL) {
        buf_add_format(out, ", should be %s", finding->expected);
    }
}

const char *verify_value_text(struct bytes value, struct arena *arena)
{
    char digest[DIGEST_SHA256_TEXT];
    digest_sha256(value, digest);
    AUTO(buf) struct buf text;
    buf_init(&text, 64 * 1024);
    buf_add_format(&text, "%zu bytes, sha256 %s, \"", value.size, digest);
    for (size_t i = 0; i < value.size && i < VALUE_SHOWN_BYTES; i++) {
        uint8_t byte = value.data[i];
        if (byte < 0x20 || byte > 0x7e || byte == '\\') {
            buf_add_format(&text, "\\x%02x", byte);
        } else {
            buf_add_byte(&text, byte);
        }
    }
    buf_add_text(&text, value.size > VALUE_SHOWN_BYTES ? "\"…" : "\"");
    return arena_text(arena, buf_bytes(&text));
}
