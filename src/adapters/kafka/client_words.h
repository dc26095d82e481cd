/* What librdkafka's log says about the way to a broker: nothing else tells why there is none. */
#ifndef TIDEMARK_ADAPTERS_KAFKA_CLIENT_WORDS_H
#define TIDEMARK_ADAPTERS_KAFKA_CLIENT_WORDS_H

#include <stddef.h>

enum client_words {
    CLIENT_WORDS_OTHER,
    CLIENT_WORDS_NO_TLS,    /* ours is no TLS, or no SASL, and the broker hung up at once */
    CLIENT_WORDS_TLS,       /* ours is TLS, and the broker hung up or spoke something else */
    CLIENT_WORDS_UNTRUSTED, /* the broker's certificate is none that we trust */
    CLIENT_WORDS_USER,      /* the broker refused who we say we are */
    CLIENT_WORDS_MECHANISM, /* the broker does not know the way in which we say it */
};

/* The words of a line with facility FAIL. */
enum client_words client_words_kind(const char *words);

/* True where the broker, or we, will say the same again until somebody changes something; the
 * others may also be a broker, or a proxy before it, that is just starting. */
static inline int client_words_final(enum client_words kind)
{
    return kind >= CLIENT_WORDS_UNTRUSTED;
}

/* Without the line's tail, "(after 24ms in state SSL_HANDSHAKE, …)". */
void client_words_copy(const char *words, char *to, size_t size);

/* Which properties to look at; NULL: nothing is known. `mechanism`: sasl.mechanism as it is set.
 * `version`: as of rd_kafka_version(). A static text. */
const char *client_words_advice(enum client_words kind, const char *mechanism, int version);

/* What a login that works today may trip over: SCRAM of an old librdkafka, which brokers of Kafka 4
 * refuse. NULL: nothing. `protocol`: security.protocol as it is set; the rest as above. */
const char *client_words_login(const char *protocol, const char *mechanism, int version);

#endif
