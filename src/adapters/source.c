/* The batch that every poll of a source fills. */
#include "adapters/source.h"

#include <stdlib.h>

enum { CHUNK_BYTES = 1 << 18, EVENTS_FIRST = 16 };

struct source_batch *source_batch_new(size_t messages_max)
{
    CHECK(messages_max > 0);
    struct source_batch *batch = calloc(1, sizeof(*batch));
    CHECK(batch != NULL);
    batch->message_capacity = messages_max;
    batch->messages = malloc(messages_max * sizeof(*batch->messages));
    CHECK(batch->messages != NULL);
    batch->arena = arena_new(CHUNK_BYTES);
    return batch;
}

struct source_batch *source_batch_free(struct source_batch *batch)
{
    if (batch != NULL) {
        arena_free(batch->arena);
        free(batch->messages);
        free(batch->events);
        free(batch);
    }
    return NULL;
}

void source_batch_clear(struct source_batch *batch)
{
    batch->message_count = 0;
    batch->event_count = 0;
    batch->bytes = 0;
    arena_reset(batch->arena);
}

struct source_event *source_batch_add_event(struct source_batch *batch, enum source_event_kind kind)
{
    if (batch->event_count == batch->event_capacity) {
        size_t capacity = batch->event_capacity == 0 ? EVENTS_FIRST : batch->event_capacity * 2;
        struct source_event *events = realloc(batch->events, capacity * sizeof(*events));
        CHECK(events != NULL);
        batch->events = events;
        batch->event_capacity = capacity;
    }
    struct source_event *event = &batch->events[batch->event_count++];
    *event = (struct source_event){
        .kind = kind,
        .message_index = batch->message_count,
        .position = -1,
        .low = -1,
        .high = -1,
    };
    return event;
}
