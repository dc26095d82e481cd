/* One flat YAML mapping of known members, printed and read with libyaml. */
#ifndef TIDEMARK_CORE_SNAPSHOT_RUN_YAML_H
#define TIDEMARK_CORE_SNAPSHOT_RUN_YAML_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/err.h"

enum run_yaml_kind {
    RUN_YAML_TEXT,         /* quoted only where YAML would take it for something else */
    RUN_YAML_TEXT_OR_NULL, /* the same; NULL is null */
    RUN_YAML_QUOTED,       /* in single quotes, so that a time stays a text */
    RUN_YAML_PLAIN,        /* a number */
};

struct run_yaml_member {
    const char *name;
    enum run_yaml_kind kind;
};

/* `texts[i]` is the value of members[i]. ERR_INPUT: a text that is not UTF-8, or that YAML refuses.
 */
MUST_CHECK bool run_yaml_print(const struct run_yaml_member *members, const char *const *texts,
                               size_t count, struct buf *out, struct err *err);

/* Fills texts[i], in `arena`; a null or absent RUN_YAML_TEXT_OR_NULL is NULL. ERR_INPUT: not one
 * mapping, a member given twice or missing, or one that is not a scalar. Members not asked for are
 * passed over, whatever they hold. */
MUST_CHECK bool run_yaml_parse(struct bytes text, const struct run_yaml_member *members,
                               size_t count, struct arena *arena, const char **texts,
                               struct err *err);

#endif
