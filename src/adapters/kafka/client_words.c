/* What librdkafka's log says about the way to a broker. */
#include "adapters/kafka/client_words.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { VERSION_SCRAM = 0x020601ff }; /* librdkafka 4895 */

static bool says(const char *words, const char *what)
{
    return strstr(words, what) != NULL;
}

enum client_words client_words_kind(const char *words)
{
    if (says(words, "certificate verify failed")) {
        return CLIENT_WORDS_UNTRUSTED;
    }
    if (says(words, "broker listener?") || says(words, "wrong version number") ||
        (says(words, "SSL_HANDSHAKE") && says(words, "unexpected eof"))) {
        return CLIENT_WORDS_TLS;
    }
    /* from some version on it says no more than that; in TLS it is another fault */
    bool hung_up = says(words, "Disconnected") && says(words, "in state APIVERSION_QUERY") &&
                   !says(words, "ssl://");
    if (says(words, "security.protocol") || hung_up) {
        return CLIENT_WORDS_NO_TLS;
    }
    if (says(words, "Local: ")) {
        return CLIENT_WORDS_OTHER; /* a connection that broke in the middle of it */
    }
    if (says(words, "Unsupported SASL mechanism")) {
        return CLIENT_WORDS_MECHANISM;
    }
    return says(words, "SASL authentication error") ? CLIENT_WORDS_USER : CLIENT_WORDS_OTHER;
}

void client_words_copy(const char *words, char *to, size_t size)
{
    size_t length = strlen(words);
    for (const char *tail = strstr(words, " (after "); tail != NULL;
         tail = strstr(tail + 1, " (after ")) {
        length = (size_t)(tail - words);
    }
    snprintf(to, size, "%.*s", (int)length, words);
}

/* Brokers up to Kafka 3 let the wrong nonce pass; those of Kafka 4 compare all of it. */
static bool sends_wrong_nonce(const char *mechanism, int version)
{
    return strncasecmp(mechanism, "SCRAM", strlen("SCRAM")) == 0 && version < VERSION_SCRAM;
}

const char *client_words_login(const char *protocol, const char *mechanism, int version)
{
    if (strncasecmp(protocol, "SASL", strlen("SASL")) != 0 ||
        !sends_wrong_nonce(mechanism, version)) {
        return NULL;
    }
    return "SCRAM of librdkafka before 2.6.1 (its issue 4895) can log in to brokers up to Kafka 3; "
           "those of Kafka 4 say that the credentials are invalid. Before the brokers are of Kafka "
           "4, take a newer librdkafka, or PLAIN over TLS";
}

const char *client_words_advice(enum client_words kind, const char *mechanism, int version)
{
    switch (kind) {
    case CLIENT_WORDS_OTHER:
        break;
    case CLIENT_WORDS_NO_TLS:
        return "look at security.protocol: that port may want TLS or SASL";
    case CLIENT_WORDS_TLS:
        return "look at security.protocol: that port may not speak TLS";
    case CLIENT_WORDS_UNTRUSTED:
        return "look at ssl.ca.location";
    case CLIENT_WORDS_USER:
        if (sends_wrong_nonce(mechanism, version)) {
            return "look at sasl.username and sasl.password; or the brokers are of Kafka 4, which "
                   "SCRAM of librdkafka before 2.6.1 cannot log in to (its issue 4895)";
        }
        return "look at sasl.username and sasl.password";
    case CLIENT_WORDS_MECHANISM:
        return "look at sasl.mechanism";
    }
    return NULL;
}
