/* The bytes of a spill object: header, index, footer. */
#include "core/spill/spill_format.h"

#include <xxhash.h>

#include "core/spill/block.h"
#include "core/spill/varint.h"

static const uint8_t header_magic[8] = "TMSPILL";
static const uint8_t footer_magic[8] = "TMSPEND";

uint64_t spill_checksum(struct bytes data)
{
    return XXH3_64bits(data.data, data.size);
}

uint64_t spill_digest_add(uint64_t digest, uint64_t block_checksum)
{
    uint8_t both[16];
    put_u64le(both, digest);
    put_u64le(both + 8, block_checksum);
    return XXH3_64bits(both, sizeof both);
}

void spill_header_encode(enum row_order order, uint8_t to[SPILL_HEADER_BYTES])
{
    memcpy(to, header_magic, sizeof header_magic);
    put_u32le(to + 8, SPILL_VERSION);
    put_u32le(to + 12, (uint32_t)order);
}

bool spill_header_decode(const uint8_t data[SPILL_HEADER_BYTES], enum row_order *ret_order,
                         struct err *err)
{
    if (memcmp(data, header_magic, sizeof header_magic) != 0) {
        return err_set(err, ERR_CORRUPT, "not a spill: it does not begin like one");
    }
    uint32_t version = get_u32le(data + 8);
    if (version != SPILL_VERSION) {
        return err_set(err, ERR_CORRUPT, "a spill of version %u, this program reads %d", version,
                       SPILL_VERSION);
    }
    uint32_t order = get_u32le(data + 12);
    if (order != ROW_ORDER_OFFSET && order != ROW_ORDER_EVENT_TIME) {
        return err_set(err, ERR_CORRUPT, "a spill with the unknown order %u", order);
    }
    *ret_order = order == ROW_ORDER_OFFSET ? ROW_ORDER_OFFSET : ROW_ORDER_EVENT_TIME;
    return true;
}

void spill_footer_encode(const struct spill_footer *footer, uint8_t to[SPILL_FOOTER_BYTES])
{
    put_u64le(to, footer->index_place);
    put_u64le(to + 8, footer->index_bytes);
    put_u64le(to + 16, footer->rows);
    put_u64le(to + 24, footer->index_checksum);
    put_u64le(to + 32, XXH3_64bits(to, 32));
    memcpy(to + 40, footer_magic, sizeof footer_magic);
}

bool spill_footer_decode(const uint8_t data[SPILL_FOOTER_BYTES], uint64_t object_bytes,
                         struct spill_footer *ret_footer, struct err *err)
{
    if (memcmp(data + 40, footer_magic, sizeof footer_magic) != 0 ||
        get_u64le(data + 32) != XXH3_64bits(data, 32)) {
        return err_set(err, ERR_CORRUPT, "not a whole spill: it does not end like one");
    }
    struct spill_footer footer = {
        .index_place = get_u64le(data),
        .index_bytes = get_u64le(data + 8),
        .rows = get_u64le(data + 16),
        .index_checksum = get_u64le(data + 24),
    };
    if (footer.index_bytes > SPILL_INDEX_MAX || footer.index_place < SPILL_HEADER_BYTES ||
        footer.index_place > object_bytes ||
        object_bytes - footer.index_place != footer.index_bytes + SPILL_FOOTER_BYTES) {
        return err_set(err, ERR_CORRUPT, "a spill of %llu bytes whose footer is of another one",
                       (unsigned long long)object_bytes);
    }
    *ret_footer = footer;
    return true;
}

static void add(struct buf *to, uint64_t value)
{
    uint8_t bytes[VARINT_MAX];
    buf_add(to, bytes, (size_t)(varint_put(bytes, value) - bytes));
}

static void add_signed(struct buf *to, int64_t value)
{
    add(to, varint_zigzag(value));
}

static void encode_section(const struct section *section, struct buf *to)
{
    add_signed(to, section->window);
    add(to, section->group);
    add(to, section->tombstones);
    add(to, section->key_bytes);
    add(to, section->value_bytes);
    add(to, section->key_size_min);
    add(to, section->key_size_max);
    add(to, section->value_size_min);
    add(to, section->value_size_max);
    add_signed(to, section->event_time_min_us);
    add_signed(to, section->event_time_max_us);
    add(to, section->stored_bytes);
    uint8_t digest[8];
    put_u64le(digest, section->digest);
    buf_add(to, digest, sizeof digest);
    add(to, section->source_count);
    for (uint32_t i = 0; i < section->source_count; i++) {
        const struct section_source *part = &section->sources[i];
        add(to, part->source);
        add(to, part->rows);
        add(to, part->tombstones);
        add_signed(to, part->offset_min);
        add_signed(to, part->offset_max);
    }
}

void spill_index_encode(const struct spill_index *index, struct buf *to)
{
    add(to, index->sources.count);
    for (uint32_t i = 0; i < index->sources.count; i++) {
        const struct source_name *name = &index->sources.names[i];
        size_t size = strlen(name->topic);
        add(to, size);
        buf_add(to, name->topic, size);
        add(to, (uint32_t)name->partition);
    }
    add(to, index->section_count);
    for (size_t i = 0; i < index->section_count; i++) {
        encode_section(&index->sections[i], to);
    }
}

/* Reads on from `at`; after a failure `bad` stays set and all values are 0. */
struct reader {
    const uint8_t *at;
    const uint8_t *end;
    bool bad;
};

static uint64_t take(struct reader *reader, uint64_t max)
{
    uint64_t value = 0;
    const uint8_t *behind = reader->bad ? NULL : varint_get(reader->at, reader->end, &value);
    if (behind == NULL || value > max) {
        reader->bad = true;
        return 0;
    }
    reader->at = behind;
    return value;
}

static int64_t take_signed(struct reader *reader)
{
    return varint_unzigzag(take(reader, UINT64_MAX));
}

/* A count of things that take at least `bytes_each`: no more than there is room for. */
static uint64_t take_count(struct reader *reader, size_t bytes_each)
{
    return take(reader, (uint64_t)(reader->end - reader->at) / bytes_each);
}

static struct bytes take_bytes(struct reader *reader, uint64_t size)
{
    if (reader->bad || size > (uint64_t)(reader->end - reader->at)) {
        reader->bad = true;
        return bytes_of(NULL, 0);
    }
    struct bytes bytes = bytes_of(reader->at, size);
    reader->at += size;
    return bytes;
}

static void decode_sources(struct reader *reader, struct source_table *sources)
{
    uint64_t count = take_count(reader, 2);
    for (uint64_t i = 0; i < count && !reader->bad; i++) {
        char topic[SOURCE_TOPIC_MAX + 1];
        struct bytes name = take_bytes(reader, take(reader, SOURCE_TOPIC_MAX));
        int32_t partition = (int32_t)take(reader, INT32_MAX);
        if (reader->bad || memchr(name.data, 0, name.size) != NULL) {
            reader->bad = true;
            return;
        }
        memcpy(topic, name.data, name.size);
        topic[name.size] = '\0';
        const struct source_name *last = i == 0 ? NULL : &sources->names[i - 1];
        if (last != NULL &&
            source_name_compare(last->topic, last->partition, topic, partition) >= 0) {
            reader->bad = true;
            return;
        }
        source_table_add(sources, topic, partition);
    }
}

static void decode_parts(struct reader *reader, struct section *section, uint32_t source_count,
                         struct arena *arena)
{
    uint64_t count = take_count(reader, 5);
    section->source_count = (uint32_t)count;
    section->sources = arena_alloc(arena, count * sizeof section->sources[0]);
    uint64_t tombstones = 0;
    for (uint64_t i = 0; i < count && !reader->bad; i++) {
        struct section_source *part = &section->sources[i];
        part->source = (uint32_t)take(reader, UINT32_MAX);
        part->rows = take(reader, UINT64_MAX - section->rows);
        part->tombstones = take(reader, UINT64_MAX - tombstones);
        part->offset_min = take_signed(reader);
        part->offset_max = take_signed(reader);
        reader->bad = reader->bad || part->source >= source_count || part->rows == 0 ||
                      part->tombstones > part->rows || part->offset_min > part->offset_max ||
                      (i > 0 && part->source <= section->sources[i - 1].source);
        section->rows += part->rows;
        tombstones += part->tombstones;
    }
    reader->bad = reader->bad || section->rows == 0 || tombstones != section->tombstones;
}

static void decode_section(struct reader *reader, struct section *section, uint32_t source_count,
                           struct arena *arena)
{
    *section = (struct section){.window = take_signed(reader)};
    section->group = (uint32_t)take(reader, UINT32_MAX);
    section->tombstones = take(reader, UINT64_MAX);
    section->key_bytes = take(reader, UINT64_MAX);
    section->value_bytes = take(reader, UINT64_MAX);
    section->key_size_min = take(reader, UINT64_MAX);
    section->key_size_max = take(reader, UINT64_MAX);
    section->value_size_min = take(reader, UINT64_MAX);
    section->value_size_max = take(reader, UINT64_MAX);
    section->event_time_min_us = take_signed(reader);
    section->event_time_max_us = take_signed(reader);
    section->stored_bytes = take(reader, INT64_MAX);
    struct bytes digest = take_bytes(reader, 8);
    if (reader->bad) {
        return;
    }
    section->digest = get_u64le(digest.data);
    reader->bad = section->key_size_min > section->key_size_max ||
                  section->value_size_min > section->value_size_max ||
                  section->event_time_min_us > section->event_time_max_us;
    decode_parts(reader, section, source_count, arena);
}

static bool is_ascending(const struct section *before, const struct section *section)
{
    return before->window < section->window ||
           (before->window == section->window && before->group < section->group);
}

static void decode_sections(struct reader *reader, uint64_t index_place, struct spill_index *index)
{
    uint64_t count = take_count(reader, 20);
    index->sections = arena_alloc(index->arena, count * sizeof index->sections[0]);
    uint64_t place = SPILL_HEADER_BYTES;
    for (uint64_t i = 0; i < count && !reader->bad; i++) {
        struct section *section = &index->sections[i];
        decode_section(reader, section, index->sources.count, index->arena);
        reader->bad = reader->bad || section->stored_bytes < BLOCK_HEADER_BYTES ||
                      section->stored_bytes > index_place - place ||
                      section->rows > UINT64_MAX - index->rows ||
                      (i > 0 && !is_ascending(section - 1, section));
        section->place = place;
        place += section->stored_bytes;
        index->rows += section->rows;
    }
    index->section_count = count;
    reader->bad = reader->bad || place != index_place;
}

bool spill_index_decode(struct bytes data, enum row_order order, uint64_t index_place,
                        struct spill_index *ret_index, struct err *err)
{
    if (index_place < SPILL_HEADER_BYTES) {
        return err_set(err, ERR_CORRUPT, "a spill's index lies in its header");
    }
    struct reader reader = {.at = data.data, .end = data.data + data.size};
    struct spill_index index = {.order = order, .arena = arena_new(16 * 1024)};
    decode_sources(&reader, &index.sources);
    decode_sections(&reader, index_place, &index);
    if (reader.bad || reader.at != reader.end) {
        spill_index_done(&index);
        return err_set(err, ERR_CORRUPT, "a spill's index does not decode");
    }
    *ret_index = index;
    return true;
}
