/* `--set path=value`: settings of the command line, put into the parsed file before it is read. */
#ifndef TIDEMARK_CONSUMER_SETTINGS_SETTINGS_OVERRIDE_H
#define TIDEMARK_CONSUMER_SETTINGS_SETTINGS_OVERRIDE_H

#include "consumer/settings/settings_reader.h"

/* "window.size=5m", "topics[0].name=orders", "kafka.properties.client.id=x" (a pair replaced or
 * added). Values are texts that also stand for numbers. Groups are made as needed; items of other
 * lists must be there. What is wrong with an override is reported; `text` must outlive the reader.
 */
void settings_override_apply(struct settings_reader *reader, const char *text);

#endif
