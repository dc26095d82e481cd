/* Every record of the simulated ledger is decoded once, and not by every machine that reads it:
 * that was half of all the time. The linker puts this before message_decode (--wrap); the builds
 * with sanitizers do without, so that the memory of each fold is its own there. */
#include <stdlib.h>

#include "tests/sim/world.h"

struct sim_decoded {
    struct sim_decoded *next;
    struct arena *arena; /* NULL: not decoded yet */
    struct message message;
};

static const char *reading; /* the value of the record that was read last */
static struct sim_decoded *decoded;

struct sim_decoded *decoded_new(struct sim_ledger *ledger)
{
    struct sim_decoded *made = calloc(1, sizeof *made);
    CHECK(made != NULL);
    made->next = ledger->decoded;
    ledger->decoded = made;
    return made;
}

/* Only at the end: folds point into them, also when the record is lost or compacted away. */
void decoded_done(struct sim_ledger *ledger)
{
    while (ledger->decoded != NULL) {
        struct sim_decoded *next = ledger->decoded->next;
        arena_free(ledger->decoded->arena);
        free(ledger->decoded);
        ledger->decoded = next;
    }
    reading = NULL;
    decoded = NULL;
}

void decode_reads(const struct sim_record *record)
{
    reading = record->value;
    decoded = record->decoded;
}

#ifdef SIM_SHARED_DECODE
bool __real_message_decode(struct bytes key, struct bytes value, struct arena *arena,
                           struct message *out, struct err *err);
bool __wrap_message_decode(struct bytes key, struct bytes value, struct arena *arena,
                           struct message *out, struct err *err);

bool __wrap_message_decode(struct bytes key, struct bytes value, struct arena *arena,
                           struct message *out, struct err *err)
{
    if (reading == NULL || (const char *)value.data != reading) {
        return __real_message_decode(key, value, arena, out, err);
    }
    if (decoded->arena == NULL) {
        decoded->arena = arena_new(1024);
        if (!__real_message_decode(key, value, decoded->arena, &decoded->message, err)) {
            decoded->arena = arena_free(decoded->arena);
            return false;
        }
    }
    *out = decoded->message;
    return true;
}
#endif
