/* Which bracket or quote of a settings file is wrong, where libconfig says "syntax error" alone. */
#ifndef TIDEMARK_CONSUMER_SETTINGS_SETTINGS_BRACKETS_H
#define TIDEMARK_CONSUMER_SETTINGS_SETTINGS_BRACKETS_H

#include "core/base/arena.h"
#include "core/base/bytes.h"

/* In words, in `arena`, and *ret_line (from 1) is where: a bracket that is closed by another kind,
 * never closed or never opened, a text without its second quote; `stopped_line` is where libconfig
 * stood still, which tells such a text from one that has several lines. *ret_opened_line is where
 * the bracket was opened that is closed by another kind, else 0. NULL: they are all right, and
 * nothing is written. Any bytes; looks at comments and escapes as libconfig does. */
const char *settings_brackets_wrong(struct bytes text, int stopped_line, struct arena *arena,
                                    int *ret_line, int *ret_opened_line);

#endif
