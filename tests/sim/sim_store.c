/* The store of the simulated world: requests that land late, twice, or without an answer. */
#include <stdlib.h>

#include "tests/sim/world.h"

static size_t bucket_of(const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *name != '\0'; name++) {
        hash = (hash ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
    }
    return (size_t)(hash % SIM_BUCKETS);
}

const char *store_hash(const char *content, char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *content != '\0'; content++) {
        hash = (hash ^ (uint8_t)*content) * UINT64_C(0x100000001b3);
    }
    snprintf(text, 17, "%016llx", (unsigned long long)hash);
    return text;
}

static struct sim_object **find(struct sim_store *store, const char *name)
{
    struct sim_object **at = &store->buckets[bucket_of(name)];
    while (*at != NULL && strcmp((*at)->name, name) != 0) {
        at = &(*at)->next;
    }
    return at;
}

const char *store_get(const struct sim_store *store, const char *name)
{
    const struct sim_object *object = store->buckets[bucket_of(name)];
    while (object != NULL && strcmp(object->name, name) != 0) {
        object = object->next;
    }
    return object == NULL ? NULL : object->content;
}

void store_put(struct sim_store *store, const char *name, const char *content)
{
    struct sim_object **at = find(store, name);
    if (*at == NULL) {
        *at = calloc(1, sizeof **at);
        CHECK(*at != NULL);
        (*at)->name = strdup(name);
    }
    free((*at)->content);
    (*at)->content = strdup(content);
}

static void remove_at(struct sim_object **at)
{
    struct sim_object *object = *at;
    *at = object->next;
    free(object->name);
    free(object->content);
    free(object);
}

void store_delete(struct sim_store *store, const char *name)
{
    struct sim_object **at = find(store, name);
    if (*at != NULL) {
        remove_at(at);
    }
}

void store_delete_prefix(struct sim_store *store, const char *prefix)
{
    for (size_t i = 0; i < SIM_BUCKETS; i++) {
        struct sim_object **at = &store->buckets[i];
        while (*at != NULL) {
            if (strncmp((*at)->name, prefix, strlen(prefix)) == 0) {
                remove_at(at);
            } else {
                at = &(*at)->next;
            }
        }
    }
}

/* The write itself, at the moment it lands. False: its condition does not hold. */
static bool land(struct world *world, const struct sim_put *put)
{
    const char *now = store_get(&world->store, "_CURRENT");
    if (!put->unconditional) {
        bool fits = put->if_match == NULL ? now == NULL
                                          : now != NULL && strcmp(now, put->if_match) == 0;
        if (!fits) {
            return false;
        }
    }
    AUTO(buf) struct buf before;
    buf_init(&before, 1 << 16);
    buf_add_text(&before, now == NULL ? "" : now);
    store_put(&world->store, "_CURRENT", put->bytes);
    world_trace(world, "store: _CURRENT = %s", put->bytes);
    const char *run = strstr(put->bytes, "\"b") + 1;
    world_event(world, "pointer %.*s", (int)strcspn(run, "-"), run);
    audit_pointer_put(world, buf_text(&before), put->bytes);
    return true;
}

static void put_done(struct sim_put *put)
{
    free(put->bytes);
    free(put->if_match);
    free(put->name);
    *put = (struct sim_put){.done = true};
}

static void later(struct world *world, const struct sim_put *put)
{
    struct sim_store *store = &world->store;
    if (store->put_count == SIM_PUTS_MAX) {
        return;
    }
    struct sim_put *kept = &store->puts[store->put_count++];
    *kept = *put;
    kept->bytes = strdup(put->bytes);
    kept->if_match = put->if_match == NULL ? NULL : strdup(put->if_match);
    kept->land_us = world->now_us + world_between(world, 50000, SIM_STORE_DEADLINE_US);
}

enum err_kind store_swap(struct world *world, const struct sim_command *command)
{
    struct sim_put put = {.bytes = strdup(command->text),
                          .if_match = command->if_match == NULL ? NULL : strdup(command->if_match),
                          .create_only = command->create_only,
                          .unconditional = !world->settings.store_cas};
    enum err_kind outcome = ERR_NONE;
    enum sim_put_plan plan = world->story.put;
    world->story.put = PUT_AS_IT_COMES;
    if (plan != PUT_AS_IT_COMES) {
        if (plan != PUT_LATE) {
            land(world, &put);
        }
        if (plan != PUT_DONE_UNTOLD) {
            later(world, &put);
            world->store.puts[world->store.put_count - 1].land_us =
                world->now_us + world->story.put_after_us;
        }
        outcome = plan == PUT_TWICE ? ERR_NONE : ERR_AMBIGUOUS;
    } else if (world_chance(world, world->faults.store_fails)) {
        outcome = ERR_TRANSIENT;
    } else if (world_chance(world, world->faults.answer_lost)) {
        if (rng_below(&world->rng, 2) == 0) {
            land(world, &put);
        } else {
            later(world, &put);
        }
        outcome = ERR_AMBIGUOUS;
    } else {
        outcome = land(world, &put) ? ERR_NONE : ERR_CONFLICT;
        if (world_chance(world, world->faults.put_again)) {
            later(world, &put);
        }
    }
    put_done(&put);
    return outcome;
}

void store_put_late(struct world *world, const char *name, const char *content)
{
    struct sim_store *store = &world->store;
    if (store->put_count < SIM_PUTS_MAX) {
        store->puts[store->put_count++] = (struct sim_put){
            .name = strdup(name),
            .bytes = strdup(content),
            .land_us = world->now_us + 50000 +
                       (int64_t)rng_below(&world->log_rng, SIM_STORE_DEADLINE_US - 50000)};
    }
}

void store_step(struct world *world)
{
    struct sim_store *store = &world->store;
    size_t kept = 0;
    for (size_t i = 0; i < store->put_count; i++) {
        struct sim_put *put = &store->puts[i];
        if (world->now_us >= put->land_us && put->name != NULL) {
            store_put(store, put->name, put->bytes);
            coverage_chance(CHANCE_LATE_STAGE);
            world_trace(world, "store: %s landed late", put->name);
            put_done(put);
        } else if (world->now_us >= put->land_us) {
            if (land(world, put)) {
                coverage_chance(CHANCE_LATE_PUT);
                world_trace(world, "store: a late write landed");
            }
            put_done(put);
        } else {
            store->puts[kept++] = *put;
        }
    }
    store->put_count = kept;
}

void store_forget_late(struct sim_store *store)
{
    for (size_t i = 0; i < store->put_count; i++) {
        put_done(&store->puts[i]);
    }
    store->put_count = 0;
}

void store_done(struct sim_store *store)
{
    for (size_t i = 0; i < SIM_BUCKETS; i++) {
        while (store->buckets[i] != NULL) {
            remove_at(&store->buckets[i]);
        }
    }
    for (size_t i = 0; i < store->put_count; i++) {
        put_done(&store->puts[i]);
    }
}
