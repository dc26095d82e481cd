/* Names whose values must not be shown. */
#include "core/secret_name.h"

#include <criterion/criterion.h>

#include "core/base/check.h"

Test(secret_name, hides_what_may_be_a_secret_and_shows_the_rest)
{
    static const char *const secrets[] = {
        "sasl.password",         "sasl.username", "SASL.Mechanism",
        "ssl.key.password",      "ssl.key.pem",   "sasl.oauthbearer.client.secret",
        "ssl.keystore.password", "some.token",    "x.Credentials"};
    static const char *const plain[] = {"security.protocol", "client.id", "fetch.min.bytes",
                                        "ssl.ca.location",   "brokers",   ""};
    for (size_t i = 0; i < LENGTH_OF(secrets); i++) {
        cr_expect(secret_name(secrets[i]), "%s", secrets[i]);
    }
    for (size_t i = 0; i < LENGTH_OF(plain); i++) {
        cr_expect(!secret_name(plain[i]), "%s", plain[i]);
    }
}
