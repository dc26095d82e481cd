/* Which names of settings stand for secrets. */
#ifndef TIDEMARK_CORE_SECRET_NAME_H
#define TIDEMARK_CORE_SECRET_NAME_H

#include <stdbool.h>

/* True when the value of a librdkafka property (or any setting) of that name must not be shown:
 * "sasl.…", or password, secret, key, token, credential, jaas or pem anywhere in it, in any case.
 * It rather hides too much. Pure; any thread. */
bool secret_name(const char *name);

/* What stands in place of the value. */
#define SECRET_SHOWN "(hidden)"

#endif
