/* The steps of a build that a member puts on record, for tests that end the process there. */
#ifndef TIDEMARK_CONSUMER_MEMBER_MEMBER_STEPS_H
#define TIDEMARK_CONSUMER_MEMBER_MEMBER_STEPS_H

#include "adapters/ledger.h"

/* Passes the crash points "ready", "part-told" and "attempt-told" for these records, which the
 * ledger has now. */
void member_steps_pass(const struct ledger_record *records, size_t count);

#endif
