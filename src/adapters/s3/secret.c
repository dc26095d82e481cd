/* Text that must not be seen: keys, tokens, signatures. */
#include "adapters/s3/secret.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"

enum { SIGNATURE_DIGITS = 64 };

void secret_done(struct secret *secret)
{
    if (secret->hidden != NULL) {
        OPENSSL_cleanse(secret->hidden, strlen(secret->hidden));
        free(secret->hidden);
        secret->hidden = NULL;
    }
}

void secret_set(struct secret *secret, struct bytes text)
{
    char *copy = malloc(text.size + 1);
    CHECK(copy != NULL);
    if (text.size > 0) {
        memcpy(copy, text.data, text.size);
    }
    copy[text.size] = '\0';
    secret_done(secret);
    secret->hidden = copy;
}

void secret_copy(struct secret *to, const struct secret *from)
{
    secret_set(to, bytes_of_text(secret_reveal(from)));
}

bool secret_is_set(const struct secret *secret)
{
    return secret->hidden != NULL && secret->hidden[0] != '\0';
}

const char *secret_reveal(const struct secret *secret)
{
    return secret->hidden == NULL ? "" : secret->hidden;
}

void secret_redact(const struct secret *secret, char *text)
{
    if (!secret_is_set(secret)) {
        return;
    }
    size_t length = strlen(secret->hidden);
    for (char *at = text; (at = strstr(at, secret->hidden)) != NULL; at += length) {
        memset(at, '*', length);
    }
}

void secret_redact_signatures(char *text)
{
    while (*text != '\0') {
        size_t digits = strspn(text, "0123456789abcdefABCDEF");
        if (digits >= SIGNATURE_DIGITS) {
            memset(text, '*', digits);
        }
        text += digits == 0 ? 1 : digits;
    }
}
