/* An S3 bucket, or any server that speaks its language, as an object store. */
#ifndef TIDEMARK_ADAPTERS_S3_S3_STORE_H
#define TIDEMARK_ADAPTERS_S3_S3_STORE_H

#include "adapters/store.h"

enum s3_addressing {
    S3_ADDRESSING_AUTO, /* virtual-host style at Amazon (path style for buckets with dots), path
                           style at any other endpoint */
    S3_ADDRESSING_PATH,
    S3_ADDRESSING_VIRTUAL,
};

enum s3_encryption {
    S3_ENCRYPTION_DEFAULT, /* as the bucket is set */
    S3_ENCRYPTION_SSE_S3,  /* AES256 */
    S3_ENCRYPTION_SSE_KMS, /* aws:kms, with kms_key or the account's own */
};

/* Copied by s3_store_new. A 0, NULL or "" means the default named. Times in microseconds. */
struct s3_settings {
    const char *endpoint; /* http(s)://host[:port]; AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the
                             profile's endpoint_url, else Amazon's of the region */
    const char *region;   /* AWS_REGION, AWS_DEFAULT_REGION, the profile's; us-east-1 at an endpoint
                             of one's own */
    enum s3_addressing addressing;
    const char *profile; /* see credentials.h */
    enum s3_encryption encryption;
    const char *kms_key; /* id or ARN */
    const char *ca_file; /* PEM; AWS_CA_BUNDLE, else the system's */
    const char *proxy;   /* http://host:port; http_proxy and so on; "": none */

    int64_t connect_timeout_us; /* 5 s */
    int64_t stall_timeout_us;   /* 20 s with less than 1 KiB/s */
    int64_t request_timeout_us; /* 30 s for one request, and the time its body may take */
    int64_t total_deadline_us;  /* 120 s for one call with its retries, and the time the content may
                                   take. Nothing is sent after it (PROTOCOL R13) */
    uint64_t bytes_per_second_min; /* 256 KiB: what "the time it may take" is reckoned with */

    unsigned retries_max;    /* 8 for one request, as far as the deadline allows */
    bool no_retries;         /* the first answer counts */
    int64_t backoff_base_us; /* 100 ms */
    int64_t backoff_cap_us;  /* 10 s */

    uint64_t multipart_threshold_bytes; /* 16 MiB; larger content goes up in parts */
    uint64_t part_bytes;            /* 8 MiB, at least 5 MiB; more where 10000 parts are too few */
    uint64_t copy_single_max_bytes; /* 5 GiB, Amazon's limit; larger objects are copied in parts */
};

/* Opens s3://bucket/prefix. Sends nothing yet: store_probe is the first to find out whether the
 * place exists and may be written to. Errors: SETTINGS. */
bool s3_store_new(const char *url, const struct s3_settings *settings, struct store **ret_store,
                  struct err *err) MUST_CHECK;

#endif
