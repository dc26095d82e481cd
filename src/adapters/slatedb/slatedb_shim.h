/* The C door of shim/: SlateDB, as far as shards need it. Written by hand, as shim/src/lib.rs is.
 */
#ifndef TIDEMARK_ADAPTERS_SLATEDB_SLATEDB_SHIM_H
#define TIDEMARK_ADAPTERS_SLATEDB_SLATEDB_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All functions block. False: *error is filled, and no ret_ was written. A panic behind the door is
 * an error (SLATEDB_SHIM_BUG). The library starts two threads of its own at the first call, which
 * live as long as the process. */

enum slatedb_shim_kind {
    SLATEDB_SHIM_CORRUPT = 1,
    SLATEDB_SHIM_FULL, /* the disk */
    SLATEDB_SHIM_TRANSIENT,
    SLATEDB_SHIM_BUG,
};

struct slatedb_shim_error {
    int32_t kind;
    char message[512];
};

enum { SLATEDB_SHIM_CHECKPOINT_SIZE = 33 }; /* 32 hex digits and NUL */

const char *slatedb_shim_version(void); /* of SlateDB: "0.17.0" */

/* ---- writing: one thread at a time ---- */

struct slatedb_shim_writer;

/* A new database in an empty folder. `memory_bytes`: about what the rows that are not in a file yet
 * may take, 4 MiB at the least. */
bool slatedb_shim_create(const char *folder, uint64_t memory_bytes,
                         struct slatedb_shim_writer **ret_writer, struct slatedb_shim_error *error);
/* Keys ascending; else look-ups get slow, not wrong. */
/* A key that is empty or over 65535 bytes is a bug. */
bool slatedb_shim_put(struct slatedb_shim_writer *writer, const uint8_t *key, size_t key_size,
                      const uint8_t *value, size_t value_size, struct slatedb_shim_error *error);
/* All rows into files, a checkpoint without expiry, closed. The writer is gone, also on failure. */
bool slatedb_shim_finish(struct slatedb_shim_writer *take_writer,
                         char (*ret_checkpoint_id)[SLATEDB_SHIM_CHECKPOINT_SIZE],
                         struct slatedb_shim_error *error);
void slatedb_shim_give_up(struct slatedb_shim_writer *take_writer); /* instead of finish */

/* ---- reading: any number of threads; nothing is written ---- */

struct slatedb_shim_reader;
struct slatedb_shim_rows;

bool slatedb_shim_open(const char *folder, struct slatedb_shim_reader **ret_reader,
                       struct slatedb_shim_error *error);
void slatedb_shim_close(struct slatedb_shim_reader *take_reader);
/* `take` is given the value, when there is one, before this returns. */
bool slatedb_shim_get(const struct slatedb_shim_reader *reader, const uint8_t *key, size_t key_size,
                      void (*take)(void *to, const uint8_t *data, size_t size), void *to,
                      bool *ret_found, struct slatedb_shim_error *error);

/* From `from` on (empty: the first), below `to`. One thread at a time; ended before the reader. */
bool slatedb_shim_scan(const struct slatedb_shim_reader *reader, const uint8_t *from,
                       size_t from_size, const uint8_t *to, size_t to_size, bool has_end,
                       struct slatedb_shim_rows **ret_rows, struct slatedb_shim_error *error);
/* What it gives is valid until the next call. */
bool slatedb_shim_next(struct slatedb_shim_rows *rows, const uint8_t **ret_key,
                       size_t *ret_key_size, const uint8_t **ret_value, size_t *ret_value_size,
                       bool *ret_more, struct slatedb_shim_error *error);
void slatedb_shim_end(struct slatedb_shim_rows *take_rows);

#endif
