/* Which names of settings stand for secrets. */
#include "core/secret_name.h"

#include <string.h>

#include "core/base/check.h"

bool secret_name(const char *name)
{
    static const char *const words[] = {"password",   "secret", "key", "token",
                                        "credential", "jaas",   "pem"};
    if (strncasecmp(name, "sasl.", 5) == 0) {
        return true;
    }
    for (size_t i = 0; i < LENGTH_OF(words); i++) {
        if (strcasestr(name, words[i]) != NULL) {
            return true;
        }
    }
    return false;
}
