/* A limit of records and bytes per second, as the time from which on more may come. */
#include "core/rate.h"

int64_t rate_wait_us(const struct rate *rate, int64_t now_us)
{
    return rate->ready_us > now_us ? rate->ready_us - now_us : 0;
}

static double seconds(uint64_t amount, uint64_t per_second)
{
    return per_second == 0 ? 0 : (double)amount / (double)per_second;
}

void rate_pay(struct rate *rate, uint64_t records, uint64_t bytes, int64_t now_us)
{
    double by_records = seconds(records, rate->records_per_second);
    double by_bytes = seconds(bytes, rate->bytes_per_second);
    double cost = by_records > by_bytes ? by_records : by_bytes;
    if (cost <= 0) {
        return;
    }
    if (rate->ready_us < now_us - RATE_BURST_US) {
        rate->ready_us = now_us - RATE_BURST_US;
    }
    rate->ready_us += (int64_t)(cost * 1e6);
}
