/* One battery for every driver of shard files. */
#ifndef TIDEMARK_TESTS_CONFORMANCE_KV_SUITE_H
#define TIDEMARK_TESTS_CONFORMANCE_KV_SUITE_H

#include "adapters/kv.h"

/* Runs all stories on the driver, in an empty folder; ends the program at the first failure. */
void kv_suite_run(struct kv *kv, const char *folder);

#endif
