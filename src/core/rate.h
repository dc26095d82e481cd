/* A limit of records and bytes per second, as the time from which on more may come. */
#ifndef TIDEMARK_CORE_RATE_H
#define TIDEMARK_CORE_RATE_H

#include <stdint.h>

/* Nobody waits in here, and nothing is too large: what came is paid for afterwards, by a pause. So
 * a batch over one second's share goes through, and those behind it wait longer. One thread. */
struct rate {
    uint64_t records_per_second; /* 0: no limit */
    uint64_t bytes_per_second;   /* 0: no limit */
    int64_t ready_us;            /* by the steady clock */
};

/* After a pause up to one second's share may come at once. */
enum { RATE_BURST_US = 1000 * 1000 };

/* How long until more may come; 0: now. */
int64_t rate_wait_us(const struct rate *rate, int64_t now_us);

/* So much has come. */
void rate_pay(struct rate *rate, uint64_t records, uint64_t bytes, int64_t now_us);

#endif
