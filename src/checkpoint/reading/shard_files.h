/* The shard files of one snapshot, opened when they are needed and shared by threads. */
#ifndef TIDEMARK_CHECKPOINT_READING_SHARD_FILES_H
#define TIDEMARK_CHECKPOINT_READING_SHARD_FILES_H

#include "adapters/kv.h"
#include "checkpoint/reading/catalog.h"
#include "checkpoint/reading/shard_cache.h"

/* How the bytes of a shard file come here. A file in a file store is opened where it is, unless the
 * reader asks for ranges. */
enum shard_reading {
    SHARD_READING_AUTO,     /* by range from a size on, else downloaded whole and kept */
    SHARD_READING_RANGE,    /* only what is needed */
    SHARD_READING_DOWNLOAD, /* whole files */
};

/* "auto", "range", "download"; INPUT for another word. */
MUST_CHECK bool shard_reading_parse(const char *word, enum shard_reading *ret_reading,
                                    struct err *err);

struct shard_reading_choice {
    enum shard_reading reading;
    uint64_t range_from_bytes; /* AUTO: of one file; 0: SHARD_RANGE_FROM_BYTES */
    uint64_t page_bytes_max;   /* memory for pages read by range; 0: SHARD_PAGE_BYTES_MAX */
};

#define SHARD_RANGE_FROM_BYTES (UINT64_C(16) << 20) /* as other readers of the format decide … */
#define SHARD_RANGE_FROM_SUM (UINT64_C(2) << 30)    /* … and this one for all files together */
#define SHARD_PAGE_BYTES_MAX (UINT64_C(64) << 20)

struct shard_files_request {
    const struct catalog *catalog;
    const struct manifest *manifest;
    struct kv *kv;
    const struct shard_cache *cache; /* NULL: nothing can be downloaded */
    struct shard_reading_choice choice;
};

/* Any thread. Some files stay open for later; the request's things are borrowed. */
struct shard_files;

struct shard_files *shard_files_new(const struct shard_files_request *request);
struct shard_files *shard_files_free(struct shard_files *files); /* nothing is pinned; takes NULL */

/* The shard's file, open until it is let go. *ret_shard NULL: the shard is empty. CORRUPT: the
 * manifest names a file that is missing or of another size; and the store's errors. */
struct shard_file;
MUST_CHECK bool shard_files_pin(struct shard_files *files, uint32_t shard,
                                struct shard_file **ret_file, struct err *err);
void shard_files_let_go(struct shard_files *files, struct shard_file *file); /* takes NULL */

struct kv_file *shard_file_kv(const struct shard_file *file);

/* Whether an open shard is read by range. */
bool shard_file_is_by_range(const struct shard_file *file);

#endif
