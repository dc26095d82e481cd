/* Whether the log still has the records that a proof needs. */
#ifndef TIDEMARK_CONSUMER_VERIFY_VERIFY_RANGE_H
#define TIDEMARK_CONSUMER_VERIFY_VERIFY_RANGE_H

#include "adapters/source.h"
#include "consumer/verify/verify_plan.h"
#include "consumer/verify/verify_report.h"

/* Asks the brokers for ends and ids, and adds a VERIFY_UNPROVED for every range of the plan that is
 * gone: by retention, with its partition, or because the topic was made again. *ret_whole: nothing
 * is. Blocks. Errors: TRANSIENT, SETTINGS (rights). */
MUST_CHECK bool verify_range_check(const struct source_settings *source,
                                   const struct verify_plan *plan, struct arena *arena,
                                   struct verify_report *report, bool *ret_whole, struct err *err);

/* By topic of the source: the log cleaner may take records out of ranges. A cluster that cannot
 * describe topics says no. Errors: as before. */
MUST_CHECK bool verify_range_compacted(const struct source_settings *source, bool *ret_compacted,
                                       struct err *err);

#endif
