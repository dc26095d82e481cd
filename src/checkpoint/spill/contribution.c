/* What one member can deliver for one build: rows, and which of them count. */
#include "checkpoint/spill/contribution.h"

#include <stdatomic.h>
#include <stdlib.h>

struct contribution {
    uint64_t build;
    enum row_order order;
    struct filter_policy policy;
    struct source_table sources;
    struct contribution_partition *partitions; /* by source number */
    uint64_t *numbers;                         /* of the builds, ascending */
    struct filter_build *builds;
    size_t build_count;
    int64_t closed_before;
    struct row_share **shares;
    size_t share_count;
    const bool **voided; /* by share; NULL: all its rows count */
    const char **tokens; /* by group */
    size_t token_count;
    struct arena *arena;
    atomic_uint users;
};

const struct cut_step *contribution_step(const struct contribution_partition *partition)
{
    CHECK(partition->step_count > 0);
    return &partition->steps[partition->step_count - 1];
}

/* Every build that some partition still needs, once each, in build order. */
static void collect_builds(struct contribution *contribution)
{
    size_t room = 0;
    for (uint32_t i = 0; i < contribution->sources.count; i++) {
        room += contribution->partitions[i].step_count;
    }
    uint64_t *numbers = arena_zero(contribution->arena, room * sizeof *numbers);
    contribution->numbers = numbers;
    contribution->builds = arena_zero(contribution->arena, room * sizeof *contribution->builds);
    for (uint32_t i = 0; i < contribution->sources.count; i++) {
        const struct contribution_partition *partition = &contribution->partitions[i];
        for (size_t k = 0; k < partition->step_count; k++) {
            const struct cut_step *step = &partition->steps[k];
            size_t at = contribution->build_count;
            while (at > 0 && numbers[at - 1] > step->build) {
                at--;
            }
            if (at > 0 && numbers[at - 1] == step->build) {
                continue;
            }
            memmove(numbers + at + 1, numbers + at,
                    (contribution->build_count - at) * sizeof *numbers);
            memmove(contribution->builds + at + 1, contribution->builds + at,
                    (contribution->build_count - at) * sizeof *contribution->builds);
            numbers[at] = step->build;
            contribution->builds[at] = (struct filter_build){
                .window = step->to_us - 1, .future_bound_us = step->future_bound_us};
            contribution->build_count++;
        }
    }
    for (uint32_t i = 0; i < contribution->sources.count; i++) {
        struct contribution_partition *partition = &contribution->partitions[i];
        const struct cut_step *last = contribution_step(partition);
        if (last->from_us != EVENT_TIME_LOW) {
            contribution->closed_before = last->from_us - 1;
        }
    }
}

struct contribution *contribution_new(uint64_t build, enum row_order order,
                                      struct filter_policy policy,
                                      const struct contribution_partition *partitions, size_t count,
                                      struct row_share *const *shares, size_t share_count,
                                      const bool *const *voided)
{
    struct contribution *contribution = calloc(1, sizeof *contribution);
    CHECK(contribution != NULL);
    contribution->build = build;
    contribution->order = order;
    contribution->policy = policy;
    contribution->closed_before = INT64_MIN;
    contribution->arena = arena_new(16 * 1024);
    atomic_init(&contribution->users, 1);
    for (size_t i = 0; i < count; i++) {
        source_table_add(&contribution->sources, partitions[i].id.topic, partitions[i].id.number);
    }
    CHECK(contribution->sources.count == count);
    contribution->partitions =
        arena_zero(contribution->arena, (count + 1) * sizeof *contribution->partitions);
    for (size_t i = 0; i < count; i++) {
        uint32_t source = source_table_find(&contribution->sources, partitions[i].id.topic,
                                            partitions[i].id.number);
        struct contribution_partition *to = &contribution->partitions[source];
        *to = partitions[i];
        to->id.topic = contribution->sources.names[source].topic;
        to->steps =
            (const struct cut_step *)(const void *)arena_copy(
                contribution->arena, bytes_of(partitions[i].steps, partitions[i].step_count *
                                                                       sizeof *partitions[i].steps))
                .data;
    }
    collect_builds(contribution);
    contribution->shares = arena_zero(contribution->arena, (share_count + 1) * sizeof(void *));
    contribution->voided = arena_zero(contribution->arena, (share_count + 1) * sizeof(void *));
    for (size_t i = 0; i < share_count; i++) {
        contribution->shares[i] = row_share_use(shares[i]);
        if (voided != NULL && voided[i] != NULL) {
            uint32_t sources = row_share_set(shares[i])->index->sources.count;
            contribution->voided[i] =
                (const bool *)arena_copy(contribution->arena,
                                         bytes_of(voided[i], sources * sizeof **voided))
                    .data;
        }
    }
    contribution->share_count = share_count;
    return contribution;
}

struct contribution *contribution_with(const struct contribution *like,
                                       struct row_share *const *shares, size_t share_count)
{
    return contribution_new(like->build, like->order, like->policy, like->partitions,
                            like->sources.count, shares, share_count, NULL);
}

void contribution_set_tokens(struct contribution *contribution, const char *const *tokens,
                             size_t count)
{
    contribution->tokens = arena_zero(contribution->arena, (count + 1) * sizeof(char *));
    contribution->token_count = count;
    for (size_t i = 0; i < count; i++) {
        contribution->tokens[i] = arena_text(contribution->arena, bytes_of_text(tokens[i]));
    }
}

const char *contribution_token(const struct contribution *contribution, uint32_t group)
{
    return group < contribution->token_count ? contribution->tokens[group] : NULL;
}

struct contribution *contribution_use(struct contribution *contribution)
{
    CHECK(atomic_fetch_add(&contribution->users, 1) > 0);
    return contribution;
}

struct contribution *contribution_drop(struct contribution *contribution)
{
    if (contribution == NULL || atomic_fetch_sub(&contribution->users, 1) > 1) {
        return NULL;
    }
    for (size_t i = 0; i < contribution->share_count; i++) {
        row_share_drop(contribution->shares[i]);
    }
    source_table_done(&contribution->sources);
    arena_free(contribution->arena);
    free(contribution);
    return NULL;
}

uint64_t contribution_build(const struct contribution *contribution)
{
    return contribution->build;
}

enum row_order contribution_order(const struct contribution *contribution)
{
    return contribution->order;
}

const struct source_table *contribution_sources(const struct contribution *contribution)
{
    return &contribution->sources;
}

size_t contribution_share_count(const struct contribution *contribution)
{
    return contribution->share_count;
}

struct row_share *contribution_share(const struct contribution *contribution, size_t index)
{
    CHECK(index < contribution->share_count);
    return contribution->shares[index];
}

const uint32_t *contribution_map(const struct contribution *contribution, size_t share,
                                 struct arena *arena)
{
    CHECK(share < contribution->share_count);
    const struct source_table *from = &row_share_set(contribution->shares[share])->index->sources;
    uint32_t *map = arena_alloc(arena, ((size_t)from->count + 1) * sizeof *map);
    (void)source_table_map(from, &contribution->sources, map);
    for (uint32_t i = 0; contribution->voided[share] != NULL && i < from->count; i++) {
        if (contribution->voided[share][i]) {
            map[i] = SOURCE_NONE;
        }
    }
    return map;
}

const struct contribution_partition *contribution_partition(const struct contribution *contribution,
                                                            uint32_t source)
{
    CHECK(source < contribution->sources.count);
    return &contribution->partitions[source];
}

/* The cut of every build of the filter for one partition; 0 in one that it has no step of. */
static const int64_t *cuts_of(const struct contribution *contribution,
                              const struct contribution_partition *partition, struct arena *arena)
{
    int64_t *cuts = arena_zero(arena, contribution->build_count * sizeof *cuts);
    for (size_t k = 0; k < partition->step_count; k++) {
        const struct cut_step *step = &partition->steps[k];
        for (size_t i = 0; i < contribution->build_count; i++) {
            if (contribution->numbers[i] == step->build) {
                cuts[i] = step->cut;
            }
        }
    }
    return cuts;
}

struct filter contribution_filter(const struct contribution *contribution, struct arena *arena)
{
    struct filter_source *sources =
        arena_zero(arena, (contribution->sources.count + 1) * sizeof *sources);
    for (uint32_t i = 0; i < contribution->sources.count; i++) {
        const struct contribution_partition *partition = &contribution->partitions[i];
        sources[i] = (struct filter_source){
            .tail_from = partition->tail_from,
            .from = partition->tail_from,
            .to = partition->cut,
            .cuts = cuts_of(contribution, partition, arena),
            .first_build = contribution_step(partition)->from_us == EVENT_TIME_LOW,
        };
    }
    return (struct filter){
        .builds = contribution->builds,
        .build_count = contribution->build_count,
        .closed_before = contribution->closed_before,
        .sources = sources,
        .source_count = contribution->sources.count,
        .policy = contribution->policy,
    };
}
