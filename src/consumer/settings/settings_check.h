/* What is wrong between settings that are each right: conflicts, gaps, names that do not go
 * together. */
#ifndef TIDEMARK_CONSUMER_SETTINGS_SETTINGS_CHECK_H
#define TIDEMARK_CONSUMER_SETTINGS_SETTINGS_CHECK_H

#include "consumer/settings/settings_reader.h"

/* Adds to the reader's mistakes. Everything else has been read. */
void settings_check(struct settings_reader *reader);

/* Its parts, a file each. */
void settings_check_window(struct settings_reader *reader);
void settings_check_kafka(struct settings_reader *reader);
void settings_check_vectors(struct settings_reader *reader);
void settings_check_kv(struct settings_reader *reader); /* fills in what SlateDB does not have */

#endif
