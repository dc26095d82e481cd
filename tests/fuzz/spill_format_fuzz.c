/* Header, index and footer of a spill from a hostile writer: refused, or a table of contents that
 * holds. */
#include <stdint.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "core/spill/spill_format.h"

/* What the readers of an index rely on. */
static void check_index(const struct spill_index *index, uint64_t index_place)
{
    uint64_t place = SPILL_HEADER_BYTES;
    uint64_t rows = 0;
    for (size_t i = 0; i < index->section_count; i++) {
        const struct section *section = &index->sections[i];
        CHECK(section->place == place && section->stored_bytes > 0 && section->rows > 0);
        CHECK(spill_index_find(index, section->window, section->group) == section);
        place += section->stored_bytes;
        uint64_t of_sources = 0;
        for (uint32_t k = 0; k < section->source_count; k++) {
            CHECK(section->sources[k].source < index->sources.count);
            of_sources += section->sources[k].rows;
        }
        CHECK(of_sources == section->rows);
        rows += section->rows;
    }
    CHECK(place == index_place && rows == index->rows);
}

/* An index that decodes says the same when it is written again. */
static void check_round_trip(const struct spill_index *index, uint64_t index_place)
{
    struct buf bytes;
    struct spill_index again;
    struct err err;
    buf_init(&bytes, SPILL_INDEX_MAX);
    spill_index_encode(index, &bytes);
    CHECK(spill_index_decode(buf_bytes(&bytes), index->order, index_place, &again, &err));
    CHECK(again.rows == index->rows && again.section_count == index->section_count);
    spill_index_done(&again);
    buf_done(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first two bytes say where the index lies; all of the rest is the index, and its ends a header
 * and a footer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err;
    enum row_order order;
    struct spill_footer footer;
    struct spill_index index;
    if (size >= SPILL_HEADER_BYTES) {
        CHECK(spill_header_decode(data, &order, &err) || err.kind == ERR_CORRUPT);
    }
    if (size >= SPILL_FOOTER_BYTES) {
        uint8_t end[SPILL_FOOTER_BYTES];
        memcpy(end, data + size - sizeof end, sizeof end);
        CHECK(spill_footer_decode(end, size, &footer, &err) || err.kind == ERR_CORRUPT);
        put_u64le(end + 32, spill_checksum(bytes_of(end, 32)));
        memcpy(end + 40, "TMSPEND", 8);
        if (spill_footer_decode(end, size, &footer, &err)) {
            CHECK(footer.index_place + footer.index_bytes + SPILL_FOOTER_BYTES == size);
        }
    }
    if (size >= 2) {
        uint64_t place = (uint64_t)data[0] << 8 | data[1];
        if (spill_index_decode(bytes_of(data + 2, size - 2), ROW_ORDER_OFFSET, place, &index,
                               &err)) {
            check_index(&index, place);
            check_round_trip(&index, place);
            spill_index_done(&index);
        }
    }
    return 0;
}
