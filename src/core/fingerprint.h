/* One hash of all settings that shape what a snapshot holds: members with different ones must not
 * build together. */
#ifndef TIDEMARK_CORE_FINGERPRINT_H
#define TIDEMARK_CORE_FINGERPRINT_H

#include "core/base/buf.h"
#include "core/settings.h"

/* PROTOCOL R9. The canonical text is lines "name=value\n" in a fixed order, in ASCII:
 *
 *   tidemark-fingerprint=1
 *   spill=<version of the spill format>
 *   topic=<name> format=… key=<field> encoding=… time=<field> unit=… value=whole | value=fields
 *     field=<name> from=<field> required=0|1       (each, in order; only with value=fields)
 *   limits=<max key bytes> <max value bytes>       (what is larger is rejected)
 *   window=<trigger> <size_us>                     (size 0 for all triggers but event_time)
 *   late=… future=…
 *   contents=… order=… routing=… shards=… max_keys=…
 *   state_order=exact                              (only where it is)
 *   cel=<expression> infers=0|1                    (these three only with routing=cel)
 *     column=<name> type=… from=<field>            (each, in order)
 *     value=<integer or text>                      (each routing value, in order)
 *   key_column=… page_size=… sidecar=0|1
 *   store=… shard_prefix=… db_path_template=…
 *   kv=…                                           (only when it is not sqlite)
 *
 * Topics are sorted by name: their order in a file shapes nothing. Names and pointers are JSON
 * texts, so that no name can look like another line. What is on record in CLOSE (cuts, future
 * bound) or only paces the work (lateness bounds, idleness, schedules, budgets) is not in it, nor
 * is the group, which R9 compares by itself.
 *
 * The fingerprint is XXH3-128 of that text, its canonical big-endian form in lower-case hex. */
enum { FINGERPRINT_TEXT_SIZE = 33 };

void fingerprint_settings(const struct settings *settings, char ret_text[FINGERPRINT_TEXT_SIZE]);

/* The canonical text, for tests and `tidemark check --json`. */
void fingerprint_print(const struct settings *settings, struct buf *out);

#endif
