/* The settings of routing by an expression: group snapshot.cel. */
#ifndef TIDEMARK_CONSUMER_SETTINGS_SETTINGS_CEL_H
#define TIDEMARK_CONSUMER_SETTINGS_SETTINGS_CEL_H

#include "consumer/settings/settings_reader.h"

enum { SETTINGS_COLUMNS_MAX = 64, SETTINGS_ROUTING_VALUES_MAX = 65536 };

/* One item of snapshot.cel.columns. */
struct settings_column {
    const char *name;
    enum column_type type;
    struct field_ref from;
};

/* Columns and routing values, before the topics, which look at the columns. */
void settings_cel_read(struct settings_reader *reader);

/* With routing = "cel": the expression is compiled, and is made where there is none; what goes with
 * what. A fault of the expression is shown with a caret. */
void settings_cel_check(struct settings_reader *reader);

/* With another routing: nothing of it may be there. */
void settings_cel_check_unused(struct settings_reader *reader);

#endif
