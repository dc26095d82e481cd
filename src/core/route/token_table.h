/* The distinct values of a routing expression that were met so far, numbered from 0. */
#ifndef TIDEMARK_CORE_ROUTE_TOKEN_TABLE_H
#define TIDEMARK_CORE_ROUTE_TOKEN_TABLE_H

#include "core/base/bytes.h"
#include "core/base/check.h"

/* A READY lists the tokens of its build in one record of the ledger. */
enum { TOKEN_TABLE_MAX = 4096, TOKEN_TEXT_MAX = 128 };

/* One thread. */
struct token_table;

struct token_table *token_table_new(void);
struct token_table *token_table_free(struct token_table *table); /* takes NULL; returns NULL */

/* The number of a token as the ledger writes it, "i:-7" or "s:text" (NUL-terminated, `size` without
 * the NUL). False: it is a new one, and there are TOKEN_TABLE_MAX. */
MUST_CHECK bool token_table_number(struct token_table *table, struct bytes token,
                                   uint32_t *ret_number);

size_t token_table_count(const struct token_table *table);
const char *token_table_text(const struct token_table *table, uint32_t number);

#endif
