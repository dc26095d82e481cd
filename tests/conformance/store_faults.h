/* The faulty way to a server (tests/support/s3_faults.py), as the tests speak to it. */
#ifndef TIDEMARK_TESTS_CONFORMANCE_STORE_FAULTS_H
#define TIDEMARK_TESTS_CONFORMANCE_STORE_FAULTS_H

#include "core/base/buf.h"

void store_faults_start(void); /* the endpoint in the environment is the proxy's from now on */
void store_faults_stop(void);

/* One more, over TLS: gives its https URL. `folder` gets the certificate to trust, ca.pem. */
void store_faults_start_tls(const char *folder, char *url, size_t size);

/* Replaces the rules (a JSON list, with ' for ") and forgets the log. */
void store_faults_set(const char *rules);

/* How many requests since then had `text` in their line "METHOD path?query action". */
unsigned store_faults_seen(const char *text);

#endif
