/* What is deleted was condemned before, on record (R10), and its grace is over (R15). */
#include <stdlib.h>

#include "tests/sim/audit.h"

static void add(struct audit *audit, const char *name, int64_t from_us)
{
    if (audit->condemned_count == audit->condemned_capacity) {
        audit->condemned_capacity = audit->condemned_capacity == 0 ? 64
                                                                   : audit->condemned_capacity * 2;
        audit->condemned =
            realloc(audit->condemned, audit->condemned_capacity * sizeof *audit->condemned);
        CHECK(audit->condemned != NULL);
    }
    audit->condemned[audit->condemned_count++] =
        (struct condemned){.name = strdup(name), .from_us = from_us};
}

/* For good: a name is used once, and a leader that sleeps may delete what is gone already. */
void audit_condemned(struct world *world, const struct message_condemn *condemn)
{
    struct audit *audit = world->audit;
    if (condemn->whole_run) {
        add(audit, condemn->run_id,
            condemn->at_once ? 0 : condemn->time_us + world->settings.cleanup_grace_us);
    }
    for (size_t i = 0; i < condemn->object_count; i++) {
        add(audit, condemn->objects[i], 0);
    }
}

/* NULL: never condemned. The last time that was. */
static const struct condemned *find(const struct audit *audit, const char *name)
{
    for (size_t i = audit->condemned_count; i-- > 0;) {
        if (strcmp(audit->condemned[i].name, name) == 0) {
            return &audit->condemned[i];
        }
    }
    return NULL;
}

static bool has_objects(const struct world *world, const char *run_id)
{
    char prefix[200];
    int size = snprintf(prefix, sizeof prefix, "shards/%s/", run_id);
    for (size_t i = 0; i < SIM_BUCKETS; i++) {
        for (const struct sim_object *object = world->store.buckets[i]; object != NULL;
             object = object->next) {
            if (strncmp(object->name, prefix, (size_t)size) == 0) {
                return true;
            }
        }
    }
    return false;
}

static void check(struct world *world, const char *name)
{
    enum { CLOCKS_APART_US = 1000000 };
    audit_read(world); /* the leader may have been faster */
    const struct condemned *condemned = find(world->audit, name);
    if (condemned == NULL) {
        world_fail(world, "%s is deleted, and no CONDEMN names it", name);
    } else if (!world->clocks_jumped && world->now_us < condemned->from_us - CLOCKS_APART_US) {
        world_fail(world, "%s is deleted %lld us before its grace is over", name,
                   (long long)(condemned->from_us - world->now_us));
    }
}

void audit_deletes_run(struct world *world, const char *run_id)
{
    if (has_objects(world, run_id)) {
        check(world, run_id);
    }
}

void audit_deletes_object(struct world *world, const char *name)
{
    if (store_get(&world->store, name) != NULL) {
        check(world, name);
    }
}

void audit_condemned_done(struct audit *audit)
{
    for (size_t i = 0; i < audit->condemned_count; i++) {
        free(audit->condemned[i].name);
    }
    free(audit->condemned);
}
