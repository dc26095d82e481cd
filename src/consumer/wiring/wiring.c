/* The drivers, by name. */
#include "consumer/wiring/wiring.h"

#include "adapters/file/file_store.h"
#include "adapters/s3/s3_store.h"
#include "adapters/sqlite/sqlite_kv.h"
#include "adapters/sqlite/sqlite_vec_kv.h"

static enum s3_addressing addressing_of(const char *word)
{
    if (word != NULL && strcmp(word, "path") == 0) {
        return S3_ADDRESSING_PATH;
    }
    return word != NULL && strcmp(word, "virtual") == 0 ? S3_ADDRESSING_VIRTUAL
                                                        : S3_ADDRESSING_AUTO;
}

static enum s3_encryption encryption_of(const char *word)
{
    if (word != NULL && strcmp(word, "AES256") == 0) {
        return S3_ENCRYPTION_SSE_S3;
    }
    return word != NULL && strcmp(word, "aws:kms") == 0 ? S3_ENCRYPTION_SSE_KMS
                                                        : S3_ENCRYPTION_DEFAULT;
}

static struct s3_settings s3_settings_of(const struct store_settings *settings)
{
    return (struct s3_settings){
        .endpoint = settings->endpoint,
        .region = settings->region,
        .addressing = addressing_of(settings->addressing),
        .profile = settings->profile,
        .encryption = encryption_of(settings->sse),
        .kms_key = settings->kms_key,
        .ca_file = settings->ca_file,
        .proxy = settings->proxy,
        .connect_timeout_us = settings->connect_timeout_us,
        .stall_timeout_us = settings->request_timeout_us,
        .total_deadline_us = settings->deadline_us,
        .retries_max = settings->max_retries > 0 ? (unsigned)settings->max_retries : 0,
        .no_retries = settings->max_retries == 0,
    };
}

bool wiring_open_store(const char *url, const struct store_settings *settings,
                       struct store **ret_store, struct err *err)
{
    struct store_url parsed;
    TRY(store_url_parse(url, &parsed, err));
    if (parsed.scheme == STORE_FILE) {
        return file_store_new(url, ret_store, err);
    }
    struct s3_settings s3 = {0};
    if (settings != NULL) {
        s3 = s3_settings_of(settings);
    }
    return s3_store_new(url, &s3, ret_store, err);
}

bool wiring_sweep_store(struct store *store, struct err *err)
{
    enum { HALF_WRITTEN_HOURS = 24 }; /* far beyond any write that still goes on */
    return store->url.scheme != STORE_FILE ||
           file_store_sweep(store, HALF_WRITTEN_HOURS * INT64_C(3600) * 1000000, err);
}

struct kv *wiring_kv(void)
{
    return sqlite_kv();
}

const char *wiring_sqlite_version(void)
{
    return sqlite_kv_version();
}

bool wiring_vector_kv(const struct vector_settings *vectors, struct kv **ret_kv, struct err *err)
{
    if (vectors->extension == NULL) {
        return err_set(err, ERR_SETTINGS,
                       "vectors need SQLite's extension sqlite-vec, which is no part of Tidemark: "
                       "name its file (vec0.so; packages of it are called sqlite-vec)");
    }
    struct sqlite_vec_settings settings = {
        .extension = vectors->extension, .dim = vectors->dim, .metric = vectors->metric};
    return sqlite_vec_kv_new(&settings, ret_kv, err) ||
           err_wrap(err, "vectors need SQLite's extension sqlite-vec");
}
