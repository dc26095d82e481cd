/* An SQLite record: the header that tells where each column's bytes are. */
#include "core/snapshot/sqlite_record.h"

#include "core/snapshot/sqlite_pages.h"

enum { SERIAL_REAL = 7, SERIAL_ONE = 9 };

/* Bytes of a column, by its serial type (fileformat2, section 2.1). */
static uint64_t size_of(uint64_t serial_type)
{
    static const uint8_t sizes[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0};
    return serial_type < LENGTH_OF(sizes) ? sizes[serial_type] : (serial_type - 12) / 2;
}

bool sqlite_record_column(struct bytes local, unsigned column, struct sqlite_column *ret_column,
                          struct err *err)
{
    uint64_t header_size = 0;
    size_t at = sqlite_page_varint(local, &header_size);
    if (at == 0 || header_size > local.size) {
        return err_set(err, ERR_INPUT, "a row that cannot be read");
    }
    struct sqlite_column found = {.place = header_size};
    for (unsigned i = 0; i <= column; i++) {
        found.place += found.size;
        struct bytes rest = bytes_of(local.data + at, (size_t)header_size - at);
        size_t used = sqlite_page_varint(rest, &found.serial_type);
        found.size = size_of(found.serial_type);
        if (used == 0 || found.place > INT32_MAX || found.size > INT32_MAX) {
            return err_set(err, ERR_INPUT, "a row that cannot be read");
        }
        at += used;
    }
    *ret_column = found;
    return true;
}

bool sqlite_record_u32(struct bytes local, unsigned column, uint32_t *ret_value, struct err *err)
{
    struct sqlite_column found;
    TRY(sqlite_record_column(local, column, &found, err));
    if (found.serial_type > SERIAL_ONE || found.serial_type == SERIAL_REAL || found.size > 4 ||
        found.place + found.size > local.size) {
        return err_set(err, ERR_INPUT, "a row with something else in place of a number");
    }
    uint32_t value = found.serial_type == SERIAL_ONE;
    for (uint64_t i = 0; i < found.size; i++) {
        value = value << 8 | local.data[found.place + i];
    }
    *ret_value = value;
    return true;
}
