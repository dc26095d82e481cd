/* What may be part of an object's name. */
#ifndef TIDEMARK_CORE_SNAPSHOT_NAMES_CHECK_H
#define TIDEMARK_CORE_SNAPSHOT_NAMES_CHECK_H

#include "core/base/bytes.h"
#include "core/base/err.h"

/* All refuse with ERR_SETTINGS; what is wrong is documented at names_init. */
MUST_CHECK bool names_check_prefix(const char *prefix, struct err *err);
MUST_CHECK bool names_check_segment(const char *setting, const char *segment, struct err *err);

/* A db_path_template in its three parts. */
struct names_template {
    struct bytes before;
    struct bytes after;
    int digits; /* at least so many, with zeros in front; 0: no more than needed */
};
MUST_CHECK bool names_check_template(const char *text, struct names_template *ret_parts,
                                     struct err *err);

#endif
