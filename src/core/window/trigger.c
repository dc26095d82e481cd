/* The words of triggers and policies, as settings and the ledger spell them. */
#include "core/window/trigger.h"

const char *const close_trigger_names[] = {"event_time", "schedule", "offsets", "manual"};
const char *const contents_names[] = {"window", "state"};
const char *const late_policy_names[] = {"next", "drop", "dead_letter"};
const char *const future_policy_names[] = {"keep", "dead_letter"};
