/* What the fields of a record must be to each other. */
#ifndef TIDEMARK_CORE_COORD_MESSAGE_CHECK_H
#define TIDEMARK_CORE_COORD_MESSAGE_CHECK_H

#include "core/coord/message.h"

/* ERR_INPUT: the fields are each well formed, and together make no sense. After it, code may rely
 * on: ranges that are not backwards, indexes that are in their tables, one item a shard. */
MUST_CHECK bool message_check(const struct message *message, struct err *err);

#endif
