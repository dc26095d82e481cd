/* Chance, from the operating system. */
#include "adapters/os/os_random.h"

#include <errno.h>
#include <sys/random.h>

#include "core/base/check.h"

void os_random_bytes(void *to, size_t size)
{
    uint8_t *at = to;
    while (size > 0) {
        ssize_t got = getrandom(at, size, 0);
        if (got < 0) {
            CHECK(errno == EINTR);
            continue;
        }
        at += got;
        size -= (size_t)got;
    }
}

uint64_t os_random_u64(void)
{
    uint64_t value;
    os_random_bytes(&value, sizeof value);
    return value;
}

void os_random_hex(char *to, size_t digits)
{
    for (size_t i = 0; i < digits; i += 16) {
        uint64_t value = os_random_u64();
        for (size_t j = i; j < digits && j < i + 16; j++) {
            to[j] = "0123456789abcdef"[value & 15];
            value >>= 4;
        }
    }
    to[digits] = '\0';
}
