/* docs/settings.md, made from the table of settings. */
#ifndef TIDEMARK_CONSUMER_SETTINGS_SETTINGS_DOC_H
#define TIDEMARK_CONSUMER_SETTINGS_SETTINGS_DOC_H

#include "core/base/buf.h"

/* Markdown: a section for each group, a table of its settings with type, default, what is allowed
 * and what it is for. A test compares it with docs/settings.md. */
void settings_doc_print(struct buf *out);

#endif
