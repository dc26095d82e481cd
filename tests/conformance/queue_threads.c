/* The queue among many threads, as a plain program, so that it runs under TSan (Criterion does
 * not). */
#include <stdatomic.h>
#include <stdio.h>

#include "adapters/os/queue.h"
#include "adapters/os/thread.h"

enum { WORKERS = 4, EACH = 20000 };

static struct queue *queue;
static int items[WORKERS * EACH]; /* counted up by who gets it: the queue alone keeps them apart */
static atomic_int next_worker;

static void produce(void *argument)
{
    (void)argument;
    int first = atomic_fetch_add(&next_worker, 1) * EACH;
    for (int i = first; i < first + EACH; i++) {
        items[i] = 1;
        while (queue_push(queue, &items[i], 1000) != QUEUE_DONE) {
        }
    }
}

static void consume(void *argument)
{
    void *item = NULL;
    (void)argument;
    while (queue_pop(queue, &item, -1) == QUEUE_DONE) {
        (*(int *)item)++;
    }
}

int main(void)
{
    struct thread *producers[WORKERS];
    struct thread *consumers[WORKERS];
    queue = queue_new(16);
    for (int i = 0; i < WORKERS; i++) {
        producers[i] = thread_new("producer", produce, NULL);
        consumers[i] = thread_new("consumer", consume, NULL);
    }
    for (int i = 0; i < WORKERS; i++) {
        thread_join(producers[i]);
    }
    queue_close(queue);
    for (int i = 0; i < WORKERS; i++) {
        thread_join(consumers[i]);
    }
    int wrong = 0;
    for (int i = 0; i < WORKERS * EACH; i++) {
        wrong += items[i] != 2;
    }
    queue_free(queue);
    printf("%d of %d items not delivered exactly once\n", wrong, WORKERS * EACH);
    return wrong != 0;
}
