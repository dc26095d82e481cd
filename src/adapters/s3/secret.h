/* Text that must not be seen: keys, tokens, signatures. */
#ifndef TIDEMARK_ADAPTERS_S3_SECRET_H
#define TIDEMARK_ADAPTERS_S3_SECRET_H

#include <stdbool.h>

#include "core/base/bytes.h"

/* Owns its text and wipes it at the end. It is a struct so that it fits no "%s" by accident. */
struct secret {
    char *hidden;
};

void secret_set(struct secret *secret, struct bytes text); /* wipes what was there */
void secret_copy(struct secret *to, const struct secret *from);
void secret_done(struct secret *secret);
bool secret_is_set(const struct secret *secret); /* and not empty */

/* For the two places that need it: signing, and the header that carries a token. */
const char *secret_reveal(const struct secret *secret); /* "" when it is not set */

/* Overwrites with '*' each place of `text` where the secret stands. */
void secret_redact(const struct secret *secret, char *text);

/* The same for what looks like a signature: 64 or more hex digits in a row. */
void secret_redact_signatures(char *text);

#endif
