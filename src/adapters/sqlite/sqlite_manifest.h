/* The manifest object: its columns as the bytes of an SQLite database, and back. */
#ifndef TIDEMARK_ADAPTERS_SQLITE_SQLITE_MANIFEST_H
#define TIDEMARK_ADAPTERS_SQLITE_SQLITE_MANIFEST_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/snapshot/manifest.h"

/* The object of SNAPSHOT-FORMAT section 3 for a manifest, added to `to`. The same manifest and
 * SQLite version give the same bytes. Errors: INPUT (manifest_encode), LIMIT (`to` is full). Any
 * thread. */
MUST_CHECK bool sqlite_manifest_encode(const struct manifest *manifest, struct buf *to,
                                       struct err *err);

/* Foreign bytes to a checked manifest; all of it is the arena's. Errors: INPUT: not a manifest that
 * a reader of the format would open. Any thread. */
MUST_CHECK bool sqlite_manifest_decode(struct bytes object, struct arena *arena,
                                       struct manifest *ret_manifest, struct err *err);

#endif
