/* Vectors: from a record's bytes to checked float32 values, and packed beside the value of a row.
 */
#ifndef TIDEMARK_CORE_RECORD_VECTOR_H
#define TIDEMARK_CORE_RECORD_VECTOR_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/err.h"

enum vector_metric { VECTOR_COSINE, VECTOR_L2 };
enum { VECTOR_DIM_MAX = 8192 }; /* sqlite-vec's own limit */

const char *vector_metric_name(enum vector_metric metric); /* "cosine", "l2" */

/* A JSON array of `dim` numbers, as a scanner has accepted it or not, to 4 * dim bytes of float32,
 * little-endian, the nearest to what is written. False: *ret_problem says what is wrong with it,
 * and where. */
MUST_CHECK bool vector_from_json(struct bytes text, uint32_t dim, uint8_t *ret_vector,
                                 const char **ret_problem, size_t *ret_index);

/* float32 bytes, little-endian: `dim` of them, all finite; with cosine, one that is not 0, because
 * a vector of zeros has no direction. */
MUST_CHECK bool vector_check(struct bytes vector, uint32_t dim, enum vector_metric metric,
                             const char **ret_problem, size_t *ret_index);

/* What a row of a snapshot with vectors has in place of its value, on its way to the shard file. */
struct vector_row {
    struct bytes value;
    struct bytes vector;  /* float32; empty: the row has none, and then: */
    struct bytes id;      /* JSON, `{"v": 17, "t": "int"}`; else empty */
    struct bytes payload; /* JSON; empty: none */
};

/* The id alone, as JSON, in the arena: 17 of `{"v": 17, "t": "int"}`; of what is not like that, a
 * text of all of it. */
const char *vector_id_json(const char *id, struct arena *arena);

void vector_row_pack(const struct vector_row *row, struct buf *to);
/* Views into `packed`. ERR_CORRUPT: not packed by vector_row_pack, or a vector of another size. */
MUST_CHECK bool vector_row_unpack(struct bytes packed, uint32_t dim, struct vector_row *ret_row,
                                  struct err *err);
/* The size of the value alone, without a look at the rest; 0 for what is not packed. */
uint64_t vector_row_value_bytes(struct bytes packed);

#endif
