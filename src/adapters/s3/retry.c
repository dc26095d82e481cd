/* What a try of a request means: done, again, or which error. Pure. */
#include "adapters/s3/retry.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"

struct code_rule {
    const char *code;
    enum retry_verdict verdict;
    enum err_kind kind;
};

/* Codes that say more than their status does. Source: "Error responses" of Amazon's S3 API
 * reference, and what versitygw and MinIO answer. */
static const struct code_rule code_rules[] = {
    {"RequestTimeTooSkewed", RETRY_CLOCK, ERR_SETTINGS},
    {"ExpiredToken", RETRY_CREDENTIALS, ERR_SETTINGS},
    {"ExpiredTokenException", RETRY_CREDENTIALS, ERR_SETTINGS},
    {"TokenRefreshRequired", RETRY_CREDENTIALS, ERR_SETTINGS},
    {"RequestExpired", RETRY_CREDENTIALS, ERR_SETTINGS},
    {"SlowDown", RETRY_AGAIN, ERR_TRANSIENT},
    {"SlowDownRead", RETRY_AGAIN, ERR_TRANSIENT},
    {"SlowDownWrite", RETRY_AGAIN, ERR_TRANSIENT},
    {"Throttling", RETRY_AGAIN, ERR_TRANSIENT},
    {"RequestTimeout", RETRY_AGAIN, ERR_TRANSIENT},
    {"OperationAborted", RETRY_AGAIN, ERR_TRANSIENT},
    {"BadDigest", RETRY_AGAIN, ERR_TRANSIENT},
    {"XAmzContentSHA256Mismatch", RETRY_AGAIN, ERR_TRANSIENT},
    {"IncompleteBody", RETRY_AGAIN, ERR_TRANSIENT},
    {"NoSuchBucket", RETRY_NEVER, ERR_SETTINGS},
    {"AuthorizationHeaderMalformed", RETRY_NEVER, ERR_SETTINGS},
    {"InvalidAccessKeyId", RETRY_NEVER, ERR_SETTINGS},
    {"InvalidBucketName", RETRY_NEVER, ERR_SETTINGS},
    {"IllegalLocationConstraintException", RETRY_NEVER, ERR_SETTINGS},
    {"InvalidEncryptionAlgorithmError", RETRY_NEVER, ERR_SETTINGS},
    {"NotImplemented", RETRY_NEVER, ERR_SETTINGS},
    {"EntityTooLarge", RETRY_NEVER, ERR_LIMIT},
    {"QuotaExceeded", RETRY_NEVER, ERR_LIMIT},
    {"XMinioStorageFull", RETRY_NEVER, ERR_LIMIT},
    {"KeyTooLongError", RETRY_NEVER, ERR_INPUT},
    {"ObjectParentIsFile", RETRY_NEVER, ERR_INPUT},
    /* versitygw says so, too, for a moment while a delete clears away the folders it left empty. */
    {"ExistingObjectIsDirectory", RETRY_AGAIN, ERR_INPUT},
    {"XMinioParentIsObject", RETRY_NEVER, ERR_INPUT},
    {"XMinioObjectExistsAsDirectory", RETRY_NEVER, ERR_INPUT},
};

static const struct code_rule *rule_of(const char *code)
{
    for (size_t i = 0; i < LENGTH_OF(code_rules); i++) {
        if (strcmp(code_rules[i].code, code) == 0) {
            return &code_rules[i];
        }
    }
    return NULL;
}

static enum err_kind kind_of_status(int status, bool conditional)
{
    switch (status) {
    case 404:
        return conditional ? ERR_CONFLICT : ERR_MISSING;
    case 409:
    case 412:
        return ERR_CONFLICT;
    case 413:
    case 507:
        return ERR_LIMIT;
    case 416:
        return ERR_CORRUPT;
    case 408:
    case 425:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
        return ERR_TRANSIENT;
    default:
        if (status >= 500) {
            return status == 501 ? ERR_SETTINGS : ERR_TRANSIENT;
        }
        /* Redirections, too: they mean another region or endpoint. */
        return status == 400 || status == 411 ? ERR_INPUT : ERR_SETTINGS;
    }
}

/* A refusal that says the server did not do it, as opposed to one that fell over on the way. */
static bool is_clean_refusal(int status, const char *code)
{
    return status < 500 || status == 501 || status == 507 ||
           (status == 503 && strcmp(code, "InternalError") != 0);
}

static struct retry_decision decide_answered(const struct retry_try *one)
{
    const struct code_rule *rule = rule_of(one->code);
    struct retry_decision decision = {.maybe_done = one->maybe_done};
    if (rule != NULL) {
        decision.kind = rule->kind;
        decision.verdict = rule->verdict;
    } else {
        decision.kind = kind_of_status(one->status, one->conditional);
        decision.verdict = decision.kind == ERR_TRANSIENT ? RETRY_AGAIN : RETRY_NEVER;
    }
    if (one->changes && !is_clean_refusal(one->status, one->code)) {
        decision.maybe_done = true;
    }
    return decision;
}

struct retry_decision retry_decide(const struct retry_try *one)
{
    if (one->sending == RETRY_ANSWERED && one->status >= 200 && one->status < 300) {
        return (struct retry_decision){RETRY_SUCCESS, ERR_NONE, false};
    }
    struct retry_decision decision = {RETRY_AGAIN, ERR_TRANSIENT, one->maybe_done};
    if (one->sending == RETRY_ANSWERED) {
        decision = decide_answered(one);
    } else if (one->sending == RETRY_LOST && one->changes) {
        decision.maybe_done = true;
    }
    if (decision.maybe_done) {
        /* NoSuchUpload is among the MISSING: a completed upload is gone, too. */
        bool unclear = decision.kind == ERR_TRANSIENT || decision.kind == ERR_CONFLICT ||
                       decision.kind == ERR_MISSING;
        decision.kind = unclear ? ERR_AMBIGUOUS : decision.kind;
        if (one->conditional && decision.verdict == RETRY_AGAIN) {
            decision.verdict = RETRY_NEVER;
        }
    } else if (one->conditional && one->sent_before && decision.kind == ERR_CONFLICT) {
        decision.kind = ERR_AMBIGUOUS;
    }
    return decision;
}

int64_t retry_after_us(const char *header, int64_t now_us)
{
    if (header[0] >= '0' && header[0] <= '9') {
        char *end = NULL;
        long seconds = strtol(header, &end, 10);
        return *end == '\0' && seconds < 1000000 ? (int64_t)seconds * 1000000 : 0;
    }
    time_t at = header[0] == '\0' ? -1 : curl_getdate(header, NULL);
    int64_t at_us = at < 0 ? 0 : (int64_t)at * 1000000;
    return at_us > now_us && at_us - now_us < INT64_C(1000000000000) ? at_us - now_us : 0;
}

void retry_budget_init(struct retry_budget *budget)
{
    atomic_init(&budget->tokens, RETRY_BUDGET_FULL);
}

bool retry_budget_take(struct retry_budget *budget)
{
    if (atomic_fetch_sub(&budget->tokens, RETRY_BUDGET_COST) < RETRY_BUDGET_COST) {
        atomic_fetch_add(&budget->tokens, RETRY_BUDGET_COST);
        return false;
    }
    return true;
}

void retry_budget_give(struct retry_budget *budget)
{
    if (atomic_fetch_add(&budget->tokens, RETRY_BUDGET_GAIN) >= RETRY_BUDGET_FULL) {
        atomic_fetch_sub(&budget->tokens, RETRY_BUDGET_GAIN);
    }
}
