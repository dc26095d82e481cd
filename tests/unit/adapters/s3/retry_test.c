/* Every kind of answer, and what it means for reads, writes and conditional writes. */
#include <criterion/criterion.h>

#include "adapters/s3/retry.h"
#include "core/base/check.h"

enum call { READ, WRITE, IF };

static const char *const call_names[] = {"read", "write", "conditional write"};

static const struct {
    enum call call;
    enum retry_sending sending;
    int status;
    const char *code;
    enum retry_verdict verdict;
    enum err_kind kind;
    bool maybe_done;
} firsts[] = {
    {READ, RETRY_ANSWERED, 200, "", RETRY_SUCCESS, ERR_NONE, false},
    {WRITE, RETRY_ANSWERED, 204, "", RETRY_SUCCESS, ERR_NONE, false},
    {READ, RETRY_ANSWERED, 206, "", RETRY_SUCCESS, ERR_NONE, false},
    {READ, RETRY_NOT_SENT, 0, "", RETRY_AGAIN, ERR_TRANSIENT, false},
    {WRITE, RETRY_NOT_SENT, 0, "", RETRY_AGAIN, ERR_TRANSIENT, false},
    {IF, RETRY_NOT_SENT, 0, "", RETRY_AGAIN, ERR_TRANSIENT, false},
    {READ, RETRY_LOST, 0, "", RETRY_AGAIN, ERR_TRANSIENT, false},
    {WRITE, RETRY_LOST, 0, "", RETRY_AGAIN, ERR_AMBIGUOUS, true},
    {IF, RETRY_LOST, 0, "", RETRY_NEVER, ERR_AMBIGUOUS, true},
    {READ, RETRY_ANSWERED, 500, "InternalError", RETRY_AGAIN, ERR_TRANSIENT, false},
    {WRITE, RETRY_ANSWERED, 500, "InternalError", RETRY_AGAIN, ERR_AMBIGUOUS, true},
    {IF, RETRY_ANSWERED, 500, "InternalError", RETRY_NEVER, ERR_AMBIGUOUS, true},
    {IF, RETRY_ANSWERED, 502, "", RETRY_NEVER, ERR_AMBIGUOUS, true},
    {IF, RETRY_ANSWERED, 504, "", RETRY_NEVER, ERR_AMBIGUOUS, true},
    {WRITE, RETRY_ANSWERED, 504, "", RETRY_AGAIN, ERR_AMBIGUOUS, true},
    {IF, RETRY_ANSWERED, 503, "SlowDown", RETRY_AGAIN, ERR_TRANSIENT, false},
    {IF, RETRY_ANSWERED, 503, "", RETRY_AGAIN, ERR_TRANSIENT, false},
    {READ, RETRY_ANSWERED, 429, "", RETRY_AGAIN, ERR_TRANSIENT, false},
    {READ, RETRY_ANSWERED, 408, "", RETRY_AGAIN, ERR_TRANSIENT, false},
    {WRITE, RETRY_ANSWERED, 400, "RequestTimeout", RETRY_AGAIN, ERR_TRANSIENT, false},
    {WRITE, RETRY_ANSWERED, 400, "BadDigest", RETRY_AGAIN, ERR_TRANSIENT, false},
    {WRITE, RETRY_ANSWERED, 409, "OperationAborted", RETRY_AGAIN, ERR_TRANSIENT, false},
    {READ, RETRY_ANSWERED, 404, "NoSuchKey", RETRY_NEVER, ERR_MISSING, false},
    {READ, RETRY_ANSWERED, 404, "", RETRY_NEVER, ERR_MISSING, false},
    {READ, RETRY_ANSWERED, 404, "NoSuchBucket", RETRY_NEVER, ERR_SETTINGS, false},
    {IF, RETRY_ANSWERED, 404, "NoSuchKey", RETRY_NEVER, ERR_CONFLICT, false},
    {IF, RETRY_ANSWERED, 404, "NoSuchBucket", RETRY_NEVER, ERR_SETTINGS, false},
    {IF, RETRY_ANSWERED, 412, "PreconditionFailed", RETRY_NEVER, ERR_CONFLICT, false},
    {IF, RETRY_ANSWERED, 409, "ConditionalRequestConflict", RETRY_NEVER, ERR_CONFLICT, false},
    {READ, RETRY_ANSWERED, 416, "InvalidRange", RETRY_NEVER, ERR_CORRUPT, false},
    {READ, RETRY_ANSWERED, 403, "AccessDenied", RETRY_NEVER, ERR_SETTINGS, false},
    {READ, RETRY_ANSWERED, 403, "SignatureDoesNotMatch", RETRY_NEVER, ERR_SETTINGS, false},
    {READ, RETRY_ANSWERED, 403, "RequestTimeTooSkewed", RETRY_CLOCK, ERR_SETTINGS, false},
    {READ, RETRY_ANSWERED, 400, "ExpiredToken", RETRY_CREDENTIALS, ERR_SETTINGS, false},
    {READ, RETRY_ANSWERED, 400, "InvalidArgument", RETRY_NEVER, ERR_INPUT, false},
    {READ, RETRY_ANSWERED, 400, "AuthorizationHeaderMalformed", RETRY_NEVER, ERR_SETTINGS, false},
    {READ, RETRY_ANSWERED, 301, "PermanentRedirect", RETRY_NEVER, ERR_SETTINGS, false},
    {IF, RETRY_ANSWERED, 501, "NotImplemented", RETRY_NEVER, ERR_SETTINGS, false},
    {WRITE, RETRY_ANSWERED, 507, "XMinioStorageFull", RETRY_NEVER, ERR_LIMIT, false},
    {WRITE, RETRY_ANSWERED, 400, "EntityTooLarge", RETRY_NEVER, ERR_LIMIT, false},
    {WRITE, RETRY_ANSWERED, 599, "", RETRY_AGAIN, ERR_AMBIGUOUS, true},
};

Test(retry, first_tries)
{
    for (size_t i = 0; i < LENGTH_OF(firsts); i++) {
        struct retry_try one = {.sending = firsts[i].sending,
                                .status = firsts[i].status,
                                .code = firsts[i].code,
                                .changes = firsts[i].call != READ,
                                .conditional = firsts[i].call == IF};
        struct retry_decision got = retry_decide(&one);
        cr_expect(got.verdict == firsts[i].verdict && got.kind == firsts[i].kind &&
                      got.maybe_done == firsts[i].maybe_done,
                  "%s, %d %s: verdict %d, %s, maybe done %d", call_names[firsts[i].call],
                  firsts[i].status, firsts[i].code, got.verdict, err_kind_name(got.kind),
                  got.maybe_done);
    }
}

Test(retry, after_an_earlier_try)
{
    static const struct {
        struct retry_try one;
        enum retry_verdict verdict;
        enum err_kind kind;
    } cases[] = {
        /* an unconditional write whose first try may have come through */
        {{RETRY_ANSWERED, 200, "", true, false, true, true}, RETRY_SUCCESS, ERR_NONE},
        {{RETRY_ANSWERED, 503, "SlowDown", true, false, true, true}, RETRY_AGAIN, ERR_AMBIGUOUS},
        {{RETRY_NOT_SENT, 0, "", true, false, true, true}, RETRY_AGAIN, ERR_AMBIGUOUS},
        {{RETRY_ANSWERED, 404, "NoSuchUpload", true, false, true, true},
         RETRY_NEVER,
         ERR_AMBIGUOUS},
        {{RETRY_ANSWERED, 403, "AccessDenied", true, false, true, true}, RETRY_NEVER, ERR_SETTINGS},
        /* a conditional one that was refused by 503, and then meets its condition broken */
        {{RETRY_ANSWERED, 412, "PreconditionFailed", true, true, true, false},
         RETRY_NEVER,
         ERR_AMBIGUOUS},
        {{RETRY_ANSWERED, 409, "", true, true, true, false}, RETRY_NEVER, ERR_AMBIGUOUS},
        {{RETRY_ANSWERED, 412, "PreconditionFailed", true, true, false, false},
         RETRY_NEVER,
         ERR_CONFLICT},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct retry_decision got = retry_decide(&cases[i].one);
        cr_expect(got.verdict == cases[i].verdict && got.kind == cases[i].kind, "case %zu: %d %s",
                  i, got.verdict, err_kind_name(got.kind));
    }
}

Test(retry, retry_after)
{
    static const int64_t now_us = INT64_C(1773484200000000); /* Sat, 14 Mar 2026 10:30:00 GMT */
    cr_expect_eq(retry_after_us("", now_us), 0);
    cr_expect_eq(retry_after_us("3", now_us), 3000000);
    cr_expect_eq(retry_after_us("0", now_us), 0);
    cr_expect_eq(retry_after_us("3x", now_us), 0);
    cr_expect_eq(retry_after_us("-3", now_us), 0);
    cr_expect_eq(retry_after_us("99999999999999999999", now_us), 0);
    cr_expect_eq(retry_after_us("Sat, 14 Mar 2026 10:30:07 GMT", now_us), 7000000);
    cr_expect_eq(retry_after_us("Sat, 14 Mar 2026 10:29:07 GMT", now_us), 0);
    cr_expect_eq(retry_after_us("soon", now_us), 0);
}

Test(retry, budget)
{
    struct retry_budget budget;
    retry_budget_init(&budget);
    int taken = 0;
    while (retry_budget_take(&budget)) {
        taken++;
    }
    cr_expect_eq(taken, RETRY_BUDGET_FULL / RETRY_BUDGET_COST);
    for (int i = 0; i < RETRY_BUDGET_COST; i++) {
        cr_expect_not(retry_budget_take(&budget), "after %d successes", i);
        retry_budget_give(&budget);
    }
    cr_expect(retry_budget_take(&budget));
    for (int i = 0; i < 2 * RETRY_BUDGET_FULL; i++) {
        retry_budget_give(&budget);
    }
    cr_expect_eq(atomic_load(&budget.tokens), RETRY_BUDGET_FULL, "never more than full");
}
