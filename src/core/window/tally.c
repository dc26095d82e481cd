/* The records of one partition that are in no build yet, counted exactly for any cut. */
#include "core/window/tally.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"

struct tally_window {
    int64_t start_us;
    struct offset_set rows;
};

void tally_done(struct tally *tally)
{
    for (size_t i = 0; i < tally->window_count; i++) {
        offset_set_done(&tally->windows[i].rows);
    }
    free(tally->windows);
    offset_set_done(&tally->rejected);
    *tally = (struct tally){0};
}

static size_t lower_bound(const struct tally *tally, int64_t window_us)
{
    size_t low = 0;
    size_t high = tally->window_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (tally->windows[middle].start_us < window_us) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void insert_window(struct tally *tally, size_t at, int64_t window_us)
{
    if (tally->window_count == tally->window_capacity) {
        tally->window_capacity = tally->window_capacity * 2 + 4;
        tally->windows = realloc(tally->windows, tally->window_capacity * sizeof *tally->windows);
        CHECK(tally->windows != NULL);
    }
    memmove(tally->windows + at + 1, tally->windows + at,
            (tally->window_count - at) * sizeof *tally->windows);
    tally->windows[at] = (struct tally_window){.start_us = window_us};
    tally->window_count++;
}

bool tally_add_row(struct tally *tally, int64_t offset, int64_t window_us)
{
    size_t at = tally->last_window;
    if (at >= tally->window_count || tally->windows[at].start_us != window_us) {
        at = lower_bound(tally, window_us);
        if (at == tally->window_count || tally->windows[at].start_us != window_us) {
            insert_window(tally, at, window_us);
        }
        tally->last_window = at;
    }
    return offset_set_add(&tally->windows[at].rows, offset);
}

bool tally_add_rejected(struct tally *tally, int64_t offset)
{
    return offset_set_add(&tally->rejected, offset);
}

static uint64_t futures_of(const struct tally_future *futures, size_t count, int64_t window_us)
{
    uint64_t found = 0;
    for (size_t i = 0; i < count; i++) {
        found += futures[i].window_us == window_us;
    }
    return found;
}

static bool is_future(const struct tally_future *futures, size_t count, int64_t window_us,
                      int64_t offset)
{
    for (size_t i = 0; i < count; i++) {
        if (futures[i].window_us == window_us && futures[i].offset == offset) {
            return true;
        }
    }
    return false;
}

/* The lowest offset of a window that the build leaves open: at or above tail_from, and not future.
 */
static int64_t first_carried(const struct tally_window *window, const struct tally_cut *cut,
                             const struct tally_future *futures, size_t future_count)
{
    int64_t offset = offset_set_first(&window->rows, cut->tail_from);
    while (offset >= 0 && offset < cut->cut &&
           is_future(futures, future_count, window->start_us, offset)) {
        offset = offset_set_first(&window->rows, offset + 1);
    }
    return offset >= 0 && offset < cut->cut ? offset : cut->cut;
}

void tally_count(const struct tally *tally, const struct tally_cut *cut,
                 const struct tally_future *futures, size_t future_count,
                 struct tally_account *ret_account)
{
    struct tally_account account = {.carried_from = cut->cut, .future = future_count};
    account.rejected = offset_set_count(&tally->rejected, cut->seen_end, cut->cut);
    account.read = account.rejected;
    for (size_t i = 0; i < tally->window_count; i++) {
        const struct tally_window *window = &tally->windows[i];
        uint64_t carried_in = offset_set_count(&window->rows, cut->tail_from, cut->seen_end);
        uint64_t read = offset_set_count(&window->rows, cut->seen_end, cut->cut);
        uint64_t rest = carried_in + read - futures_of(futures, future_count, window->start_us);
        account.carried_in += carried_in;
        account.read += read;
        if (window->start_us >= cut->to_us) {
            account.carried_out += rest;
            if (rest > 0) {
                int64_t first = first_carried(window, cut, futures, future_count);
                account.carried_from = first < account.carried_from ? first : account.carried_from;
            }
        } else if (window->start_us < cut->from_us) {
            account.late += rest;
        } else {
            account.on_time += rest;
        }
    }
    *ret_account = account;
}

void tally_commit(struct tally *tally, const struct tally_cut *cut,
                  const struct tally_future *futures, size_t future_count)
{
    size_t kept = 0;
    for (size_t i = 0; i < tally->window_count; i++) {
        struct tally_window *window = &tally->windows[i];
        if (window->start_us < cut->to_us) {
            offset_set_remove_below(&window->rows, cut->cut);
        }
        for (size_t k = 0; k < future_count; k++) {
            if (futures[k].window_us == window->start_us) {
                offset_set_remove(&window->rows, futures[k].offset);
            }
        }
        if (offset_set_is_empty(&window->rows)) {
            offset_set_done(&window->rows);
        } else {
            tally->windows[kept++] = *window;
        }
    }
    tally->window_count = kept;
    tally->last_window = 0;
    offset_set_remove_below(&tally->rejected, cut->cut);
}

void tally_forget_below(struct tally *tally, int64_t offset)
{
    struct tally_cut all = {.cut = offset, .to_us = EVENT_TIME_HIGH};
    tally_commit(tally, &all, NULL, 0);
}

int64_t tally_low_us(const struct tally *tally)
{
    return tally->window_count == 0 ? EVENT_TIME_HIGH : tally->windows[0].start_us;
}

int64_t tally_high_us(const struct tally *tally)
{
    return tally->window_count == 0 ? EVENT_TIME_LOW
                                    : tally->windows[tally->window_count - 1].start_us;
}

size_t tally_open_windows(const struct tally *tally)
{
    return tally->window_count;
}

uint64_t tally_rows(const struct tally *tally)
{
    uint64_t rows = 0;
    for (size_t i = 0; i < tally->window_count; i++) {
        rows += offset_set_count(&tally->windows[i].rows, 0, INT64_MAX);
    }
    return rows;
}

void tally_encode(const struct tally *tally, struct buf *to)
{
    uint8_t number[8];
    put_u32le(number, (uint32_t)tally->window_count);
    buf_add(to, number, 4);
    for (size_t i = 0; i < tally->window_count; i++) {
        put_u64le(number, (uint64_t)tally->windows[i].start_us);
        buf_add(to, number, 8);
        offset_set_encode(&tally->windows[i].rows, to);
    }
    offset_set_encode(&tally->rejected, to);
}

static bool decode_window(struct bytes *from, struct tally *tally, struct err *err)
{
    size_t count = tally->window_count;
    if (from->size < 8) {
        return err_set(err, ERR_CORRUPT, "a tally ends within a window");
    }
    int64_t start_us = (int64_t)get_u64le(from->data);
    *from = bytes_of(from->data + 8, from->size - 8);
    if (count > 0 && tally->windows[count - 1].start_us >= start_us) {
        return err_set(err, ERR_CORRUPT, "the windows of a tally do not ascend");
    }
    if (start_us == EVENT_TIME_HIGH) {
        return err_set(err, ERR_CORRUPT, "a window of a tally begins at no time");
    }
    insert_window(tally, count, start_us);
    TRY(offset_set_decode(from, &tally->windows[count].rows, err));
    return !offset_set_is_empty(&tally->windows[count].rows) ||
           err_set(err, ERR_CORRUPT, "a window of a tally is empty");
}

bool tally_decode(struct bytes from, struct tally *ret_tally, struct err *err)
{
    *ret_tally = (struct tally){0};
    bool ok = from.size >= 4 || err_set(err, ERR_CORRUPT, "not a tally");
    uint32_t count = ok ? get_u32le(from.data) : 0;
    from = ok ? bytes_of(from.data + 4, from.size - 4) : from;
    for (uint32_t i = 0; ok && i < count; i++) {
        ok = decode_window(&from, ret_tally, err);
    }
    ok = ok && offset_set_decode(&from, &ret_tally->rejected, err);
    if (ok && from.size > 0) {
        ok = err_set(err, ERR_CORRUPT, "%zu bytes behind a tally", from.size);
    }
    if (!ok) {
        tally_done(ret_tally);
    }
    return ok;
}
