/* A group of a settings file, read by the table: every name known, every value stored or defaulted.
 */
#ifndef TIDEMARK_CONSUMER_SETTINGS_SETTINGS_GROUP_H
#define TIDEMARK_CONSUMER_SETTINGS_SETTINGS_GROUP_H

#include "consumer/settings/settings_reader.h"
#include "consumer/settings/settings_schema.h"

/* `group` may be NULL (all defaults). `prefix` is its path in the table ("" or "topics[]"), `path`
 * that in the file ("topics[2]"); values go into `base`, the struct of their home. Groups inside
 * are read too; lists are only known by name here, see settings_lists. */
void settings_group_read(struct settings_reader *reader, const config_setting_t *group,
                         const char *prefix, const char *path, void *base);

#endif
