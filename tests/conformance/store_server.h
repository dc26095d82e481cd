/* A real S3 server for a test program: started at the begin, gone with it. */
#ifndef TIDEMARK_TESTS_CONFORMANCE_STORE_SERVER_H
#define TIDEMARK_TESTS_CONFORMANCE_STORE_SERVER_H

#include "adapters/s3/s3_store.h"
#include "core/base/err.h"

struct store_server {
    char folder[64]; /* its files, and an empty folder "local" for the test's own */
};

/* Starts a server of the kind (tests/support/s3.sh) and puts its address and keys into the
 * environment. Ends the program with a message when it cannot: a test without its server fails. */
void store_server_start(struct store_server *server, const char *kind);
void store_server_stop(struct store_server *server);

/* s3://<the server's bucket>/<prefix>; ends the program when it cannot be opened. */
struct store *store_server_open(const struct s3_settings *settings, const char *prefix);

/* Runs a script of tests/support and gives the first line it prints; ends the program when it
 * fails. */
void store_server_run(const char *command, char *line, size_t size);

#endif
