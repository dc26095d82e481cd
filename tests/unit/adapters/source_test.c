/* Does a batch keep its events and the order between them and the messages? */
#include <criterion/criterion.h>

#include "adapters/source.h"

Test(source, batch_keeps_events)
{
    struct source_batch *batch = source_batch_new(2);
    for (int round = 0; round < 3; round++) {
        source_batch_clear(batch);
        for (int i = 0; i < 100; i++) {
            batch->message_count = (size_t)i / 50;
            struct source_event *event = source_batch_add_event(batch, SOURCE_END);
            cr_assert_eq(event->position, -1);
            cr_assert_null(event->err);
            event->position = i;
        }
        cr_assert_eq(batch->event_count, 100);
        for (int i = 0; i < 100; i++) {
            cr_assert_eq(batch->events[i].position, i);
            cr_assert_eq(batch->events[i].message_index, (size_t)i / 50);
            cr_assert_eq(batch->events[i].kind, SOURCE_END);
        }
    }
    cr_assert_null(source_batch_free(batch));
    cr_assert_null(source_batch_free(NULL));
}
