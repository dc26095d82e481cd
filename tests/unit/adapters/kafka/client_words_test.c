/* What brokers and librdkafka really said: against Kafka 4.4 by librdkafka 2.0.2 and 2.15.1. */
#include "adapters/kafka/client_words.h"

#include <criterion/criterion.h>
#include <string.h>

#include "core/base/check.h"

static const struct {
    const char *words;
    enum client_words kind;
} LINES[] = {
    {"sasl_ssl://h:1/bootstrap: SASL authentication error: Authentication failed: Invalid username "
     "or "
     "password (after 302ms in state AUTH_REQ)",
     CLIENT_WORDS_USER},
    {"sasl_ssl://h:1/bootstrap: SASL authentication error: Authentication failed during "
     "authentication "
     "due to invalid credentials with SASL mechanism SCRAM-SHA-512 (after 345ms in state AUTH_REQ, "
     "1 "
     "identical error(s) suppressed)",
     CLIENT_WORDS_USER},
    {"GroupCoordinator: SASL authentication error: SaslAuthenticateRequest failed: Local: Broker "
     "transport failure (after 0ms in state DOWN)",
     CLIENT_WORDS_OTHER},
    {"GroupCoordinator: SASL PLAIN mechanism handshake failed: Local: Broker transport failure: "
     "broker's supported mechanisms: (n/a) (after 0ms in state DOWN)",
     CLIENT_WORDS_OTHER},
    {"sasl_ssl://h:1/bootstrap: SASL SCRAM-SHA-256 mechanism handshake failed: Broker: Unsupported "
     "SASL "
     "mechanism: broker's supported mechanisms: SCRAM-SHA-512,PLAIN (after 304ms in state "
     "AUTH_HANDSHAKE)",
     CLIENT_WORDS_MECHANISM},
    {"sasl_ssl://h:1/bootstrap: SSL handshake failed: error:0A000086:SSL routines::certificate "
     "verify "
     "failed: broker certificate could not be verified, verify that ssl.ca.location is correctly "
     "configured or root CA certificates are installed (install ca-certificates package) (after "
     "24ms "
     "in state SSL_HANDSHAKE)",
     CLIENT_WORDS_UNTRUSTED},
    {"h:1/bootstrap: Disconnected while requesting ApiVersion: might be caused by incorrect "
     "security.protocol configuration (connecting to a SSL listener?) or broker version is < 0.10 "
     "(see "
     "api.version.request) (after 3ms in state APIVERSION_QUERY)",
     CLIENT_WORDS_NO_TLS},
    {"sasl_ssl://h:1/bootstrap: error:0A000126:SSL routines::unexpected eof while reading (after "
     "6ms in "
     "state SSL_HANDSHAKE)",
     CLIENT_WORDS_TLS},
    {"sasl_ssl://h:1/1: error:0A000126:SSL routines::unexpected eof while reading (after 6ms in "
     "state "
     "UP)",
     CLIENT_WORDS_OTHER},
    {"h:1/bootstrap: Disconnected: connection closed by peer: receive 0 after POLLIN (after 4ms in "
     "state "
     "APIVERSION_QUERY)",
     CLIENT_WORDS_NO_TLS},
    {"sasl_ssl://h:1/bootstrap: Disconnected: connection closed by peer: receive 0 after POLLIN "
     "(after "
     "4ms in state APIVERSION_QUERY)",
     CLIENT_WORDS_OTHER},
    {"h:1/1: Disconnected: connection closed by peer: receive 0 after POLLIN (after 4018ms in "
     "state UP)",
     CLIENT_WORDS_OTHER},
    {"h:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: Connection refused (after 0ms in state "
     "CONNECT)",
     CLIENT_WORDS_OTHER},
};

Test(client_words, kinds)
{
    for (size_t i = 0; i < LENGTH_OF(LINES); i++) {
        cr_expect_eq(client_words_kind(LINES[i].words), LINES[i].kind, "%s", LINES[i].words);
    }
}

/* What may be a broker that starts must be waited for. */
Test(client_words, only_a_clear_no_is_final)
{
    cr_expect(client_words_final(CLIENT_WORDS_USER) && client_words_final(CLIENT_WORDS_UNTRUSTED) &&
              client_words_final(CLIENT_WORDS_MECHANISM));
    cr_expect_not(client_words_final(CLIENT_WORDS_OTHER) || client_words_final(CLIENT_WORDS_TLS) ||
                  client_words_final(CLIENT_WORDS_NO_TLS));
}

Test(client_words, the_tail_is_cut)
{
    char text[64];
    client_words_copy("it (after all) failed (after 24ms in state X, 1 more)", text, sizeof text);
    cr_expect_str_eq(text, "it (after all) failed");
    client_words_copy("it failed", text, sizeof text);
    cr_expect_str_eq(text, "it failed");
    char small[8];
    client_words_copy("it failed for ever", small, sizeof small);
    cr_expect_str_eq(small, "it fail");
}

/* A user of Kafka 3 hears of it before the upgrade. */
Test(client_words, login)
{
    const char *words = client_words_login("sasl_ssl", "SCRAM-SHA-512", 0x020600ff);
    cr_assert_not_null(words);
    cr_expect(strstr(words, "before 2.6.1") && strstr(words, "Kafka 4"), "%s", words);
    cr_expect_not_null(client_words_login("SASL_PLAINTEXT", "scram-sha-256", 0x020002ff));
    cr_expect_null(client_words_login("sasl_ssl", "SCRAM-SHA-512", 0x020601ff));
    cr_expect_null(client_words_login("sasl_ssl", "PLAIN", 0x020002ff));
    cr_expect_null(client_words_login("ssl", "SCRAM-SHA-512", 0x020002ff), "nobody logs in");
}

Test(client_words, advice)
{
    cr_expect_null(client_words_advice(CLIENT_WORDS_OTHER, "PLAIN", 0x020002ff));
    cr_expect(strstr(client_words_advice(CLIENT_WORDS_UNTRUSTED, "PLAIN", 0x020002ff),
                     "ssl.ca.location"));
    cr_expect(strstr(client_words_advice(CLIENT_WORDS_USER, "SCRAM-SHA-512", 0x020600ff), "4895"));
    cr_expect_null(
        strstr(client_words_advice(CLIENT_WORDS_USER, "SCRAM-SHA-512", 0x020601ff), "4895"));
    cr_expect_null(strstr(client_words_advice(CLIENT_WORDS_USER, "PLAIN", 0x020002ff), "4895"));
}
