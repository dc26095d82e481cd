/* The fields of every record, as tables. */
#ifndef TIDEMARK_CORE_COORD_MESSAGE_SCHEMA_H
#define TIDEMARK_CORE_COORD_MESSAGE_SCHEMA_H

#include "core/coord/message.h"
#include "core/coord/message_codec.h"

/* Of the struct that `kind` has in struct message. */
const struct codec_schema *message_schema(enum message_kind kind);
/* Of struct message_commit, without what a manifest does not keep. */
const struct codec_schema *message_lineage_schema(void);

#endif
