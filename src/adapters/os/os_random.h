/* Chance, from the operating system. */
#ifndef TIDEMARK_ADAPTERS_OS_OS_RANDOM_H
#define TIDEMARK_ADAPTERS_OS_OS_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Any thread; good enough for names that must never meet (run ids, temp names) and for seeds. */
void os_random_bytes(void *to, size_t size);
uint64_t os_random_u64(void);

/* Fills `to` with `digits` lower-case hex digits and a NUL: `to` has room for digits + 1. */
void os_random_hex(char *to, size_t digits);

#endif
