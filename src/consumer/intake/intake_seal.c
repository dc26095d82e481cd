/* What a cut takes of the held rows: counted exactly, and handed over as a contribution. */
#include <stdlib.h>
#include <string.h>

#include "adapters/os/log.h"
#include "consumer/intake/intake.h"
#include "consumer/intake/intake_state.h"
#include "core/spill/filter_stream.h"

/* One sealing, on the stack of intake_seal. */
struct sealing {
    struct intake *intake;
    const struct member_seal_partition *partitions;
    size_t count;
    struct contribution *contribution;
    struct filter filter;
    struct arena *arena;
    struct shard_size *shards; /* by group */
    size_t shard_count;
    bool exactly; /* which groups have rows decides what the shards are */
};

/* The policies of settings; late and future rows that are not taken go to the dead letters. */
static struct filter_policy policy_of(const struct settings *settings)
{
    return (struct filter_policy){
        .take_late = settings->window.late == LATE_NEXT,
        .take_future = settings->window.future == FUTURE_KEEP,
    };
}

static bool check_positions(struct intake *intake, const struct member_seal_partition *partitions,
                            size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct member_seal_partition *of = &partitions[i];
        const struct intake_partition *partition = intake_find(intake, of->id);
        bool some = of->from < of->to; /* else retention took all up to the cut, and it is said */
        if (partition == NULL || partition->position < of->to ||
            (some && partition->from > of->from && partition->from > partition->tail_from)) {
            return err_set(err, ERR_INPUT, "%s[%d] is not read from %lld up to the cut %lld",
                           of->id.topic, (int)of->id.number, (long long)of->from,
                           (long long)of->to);
        }
    }
    return true;
}

static bool send_letter(struct sealing *sealing, const struct intake_partition *partition,
                        const struct row *row, const char *cause, struct err *err)
{
    struct dead_letter letter = {
        .topic = partition->topic,
        .partition = partition->number,
        .offset = row->offset,
        .timestamp_ms = row->event_time_us / 1000,
        .cause = cause,
        .detail = "key and value as decoded",
        .has_key = true,
        .has_value = !row->tombstone,
        .key = row->key,
        .value = row->value,
    };
    return dead_letters_send(sealing->intake->settings.letters, &letter, err);
}

static void add_future(struct intake_partition *partition, int64_t window_us, int64_t offset)
{
    if ((partition->future_count & (partition->future_count + 1)) == 0) {
        partition->futures = realloc(partition->futures, (2 * partition->future_count + 2) *
                                                             sizeof *partition->futures);
        CHECK(partition->futures != NULL);
    }
    partition->futures[partition->future_count++] =
        (struct tally_future){.window_us = window_us, .offset = offset};
}

/* Rows that need a look each: dated beyond the bound, or late and not wanted in the next window. */
static bool look_at_rows(struct sealing *sealing, struct row_set *set, size_t index,
                         const uint32_t *map, struct err *err)
{
    const struct section *section = &set->index->sections[index];
    const struct settings *settings = sealing->intake->settings.settings;
    struct row_stream *stream = NULL;
    TRY(row_set_open(set, index, &stream, err));
    struct row row;
    bool more = true;
    bool done = true;
    while ((done = row_stream_next(stream, &row, &more, err)) && more) {
        uint32_t source = map[row.source];
        if (source == SOURCE_NONE) {
            continue;
        }
        const struct source_name *name = &set->index->sources.names[row.source];
        struct intake_partition *partition =
            intake_find(sealing->intake, (struct partition_id){name->topic, name->partition});
        enum filter_verdict verdict =
            filter_row(&sealing->filter, section->window, source, row.offset, row.event_time_us);
        if (verdict == FILTER_FUTURE) {
            add_future(partition, section->window, row.offset);
            if (settings->window.future == FUTURE_DEAD_LETTER &&
                !(done = send_letter(sealing, partition, &row, "future", err))) {
                break;
            }
        } else if (verdict == FILTER_LATE && settings->window.late == LATE_DEAD_LETTER &&
                   !(done = send_letter(sealing, partition, &row, "late", err))) {
            break;
        }
    }
    row_stream_free(stream);
    return done;
}

static bool needs_a_look(const struct sealing *sealing, const struct section *section)
{
    const struct filter_build *build = &sealing->filter.builds[sealing->filter.build_count - 1];
    if (section->event_time_max_us > build->future_bound_us) {
        return true;
    }
    return sealing->intake->settings.settings->window.late == LATE_DEAD_LETTER &&
           section->window <= sealing->filter.closed_before;
}

/* Sizes by shard are estimates from whole sections: they choose a builder, and 0 means none. */
static void add_size(struct sealing *sealing, const struct section *section,
                     enum filter_verdict verdict)
{
    CHECK(!sealing->exactly || verdict != FILTER_MIXED);
    if (section->group < sealing->shard_count &&
        (verdict == FILTER_MIXED || filter_takes(&sealing->filter, verdict))) {
        sealing->shards[section->group].rows += section->rows;
        sealing->shards[section->group].bytes += section->key_bytes + section->value_bytes;
    }
}

/* The same for a section of which some rows may not be in the build. */
static bool count_rows(struct sealing *sealing, struct row_set *set, size_t index,
                       const uint32_t *map, struct err *err)
{
    const struct section *section = &set->index->sections[index];
    struct shard_size *size = &sealing->shards[section->group];
    struct row_stream *stream = NULL;
    TRY(row_set_open(set, index, &stream, err));
    struct row row;
    bool more = true;
    bool done = true;
    while ((done = row_stream_next(stream, &row, &more, err)) && more) {
        uint32_t source = map[row.source];
        if (source != SOURCE_NONE &&
            filter_takes(&sealing->filter, filter_row(&sealing->filter, section->window, source,
                                                      row.offset, row.event_time_us))) {
            size->rows++;
            size->bytes += row.key.size + row.value.size;
        }
    }
    row_stream_free(stream);
    return done;
}

static bool look_at_share(struct sealing *sealing, size_t share, struct err *err)
{
    struct row_set *set = row_share_set(contribution_share(sealing->contribution, share));
    const uint32_t *map = contribution_map(sealing->contribution, share, sealing->arena);
    for (size_t i = 0; i < set->index->section_count; i++) {
        const struct section *section = &set->index->sections[i];
        enum filter_verdict verdict = filter_section(&sealing->filter, section, map);
        if (verdict == FILTER_OUTSIDE || verdict == FILTER_PUBLISHED) {
            continue;
        }
        if (needs_a_look(sealing, section)) {
            TRY(look_at_rows(sealing, set, i, map, err));
        }
        if (sealing->exactly && verdict == FILTER_MIXED) {
            TRY(count_rows(sealing, set, i, map, err));
        } else {
            add_size(sealing, section, verdict);
        }
    }
    return true;
}

/* The numbers of READY for one partition (PROTOCOL R1). */
static struct ready_partition account_of(const struct sealing *sealing,
                                         const struct member_seal_partition *of,
                                         const struct intake_partition *partition)
{
    CHECK(of->step_count > 0);
    const struct cut_step *step = &of->steps[of->step_count - 1];
    struct tally_cut cut = {
        .tail_from = of->from,
        .seen_end = of->seen_end,
        .cut = of->to,
        .from_us = step->from_us,
        .to_us = step->to_us,
    };
    struct tally_account account;
    tally_count(&partition->tally, &cut, partition->futures, partition->future_count, &account);
    struct filter_policy policy = sealing->filter.policy;
    const struct witness *witness = witness_below(&partition->witnesses, of->to);
    return (struct ready_partition){
        .id = {partition->topic, partition->number},
        .owned = partition->owned,
        .from = of->from,
        .to = of->to,
        .read = account.read,
        .carried_in = account.carried_in,
        .rows = account.on_time + (policy.take_late ? account.late : 0) +
                (policy.take_future ? account.future : 0),
        .late = policy.take_late ? 0 : account.late,
        .future = policy.take_future ? 0 : account.future,
        .rejected = account.rejected,
        .carried_out = account.carried_out,
        .carried_from = account.carried_from,
        .has_witness = witness != NULL,
        .witness = witness == NULL ? (struct witness){0} : *witness,
    };
}

static struct contribution *make_contribution(struct sealing *sealing, uint64_t build)
{
    struct contribution_partition *partitions =
        arena_zero(sealing->arena, (sealing->count + 1) * sizeof *partitions);
    for (size_t i = 0; i < sealing->count; i++) {
        const struct member_seal_partition *of = &sealing->partitions[i];
        partitions[i] = (struct contribution_partition){
            .id = of->id,
            .tail_from = of->from,
            .seen_end = of->seen_end,
            .cut = of->to,
            .steps = of->steps,
            .step_count = of->step_count,
        };
    }
    const struct intake_settings *settings = &sealing->intake->settings;
    return contribution_new(build, settings->settings->snapshot.order,
                            policy_of(settings->settings), partitions, sealing->count,
                            held_rows_shares(settings->held), held_rows_share_count(settings->held),
                            held_rows_voided(settings->held));
}

static bool check_ratio(struct intake *intake, const struct ready_partition *partitions,
                        size_t count, struct err *err)
{
    double limit = intake->settings.settings->dead_letter.max_error_ratio;
    uint64_t read = 0;
    uint64_t rejected = 0;
    for (size_t i = 0; i < count; i++) {
        read += partitions[i].read;
        rejected += partitions[i].rejected;
    }
    if (limit > 0 && (double)rejected > limit * (double)read) {
        return err_set(err, ERR_SETTINGS,
                       "%llu of the build's %llu records cannot be used: "
                       "dead_letter.max_error_ratio is %g",
                       (unsigned long long)rejected, (unsigned long long)read, limit);
    }
    return true;
}

/* The groups that have rows, as shards or, where shards follow from them, as tokens. */
static void list_groups(struct sealing *sealing, struct intake_sealed *sealed)
{
    const struct intake *intake = sealing->intake;
    struct token_size *tokens = arena_zero(
        sealing->arena, (sealing->shard_count + 1) * (sealing->exactly ? sizeof *tokens : 1));
    size_t used = 0;
    for (size_t i = 0; i < sealing->shard_count; i++) {
        const struct shard_size *size = &sealing->shards[i];
        if (size->rows == 0) {
            continue;
        }
        if (sealing->exactly) {
            tokens[used] = (struct token_size){.rows = size->rows, .bytes = size->bytes};
            tokens[used++].token =
                intake->settings.router->kind == ROUTE_CEL_INFERRED
                    ? token_table_text(route_scratch_tokens(intake->routing), (uint32_t)i)
                    : arena_format(sealing->arena, "i:%zu", i);
        } else {
            sealing->shards[used] = *size;
            sealing->shards[used++].shard = (uint32_t)i;
        }
    }
    sealed->shards = sealing->shards;
    sealed->shard_count = sealing->exactly ? 0 : used;
    sealed->tokens = tokens;
    sealed->token_count = sealing->exactly ? used : 0;
}

/* What is to be compared before these partitions are ready. Of each the oldest comes first: it was
 * read before the topic was made again, if one of them was. */
static void list_looks(const struct sealing *sealing, struct intake_sealed *sealed)
{
    struct intake_look *looks = arena_zero(sealing->arena, (sealing->count + 1) * sizeof *looks);
    for (size_t i = 0; i < sealing->count; i++) {
        const struct intake_partition *partition =
            intake_find(sealing->intake, sealing->partitions[i].id);
        if (partition->witnesses.count == 0) {
            continue;
        }
        struct intake_look *look = &looks[sealed->look_count++];
        look->partition = (struct source_partition){partition->topic_index, partition->number};
        look->log = intake_log_of(partition);
        look->log.head_run = look->log.head_run == NULL
                                 ? NULL
                                 : arena_text(sealing->arena, bytes_of_text(look->log.head_run));
        look->witnesses = partition->witnesses;
    }
    sealed->looks = looks;
}

/* How the rows are held: in so many groups. */
static void set_groups(struct sealing *sealing)
{
    const struct intake *intake = sealing->intake;
    const struct router *router = intake->settings.router;
    sealing->exactly = router->kind == ROUTE_CEL_INFERRED ||
                       (router->kind == ROUTE_CEL_DIRECT && router->num_dbs == 0);
    sealing->shard_count = router->kind == ROUTE_CEL_INFERRED
                               ? token_table_count(route_scratch_tokens(intake->routing))
                           : sealing->exactly ? ROUTE_NUM_DBS_MAX
                                              : router->num_dbs;
    sealing->shards =
        arena_zero(sealing->arena, (sealing->shard_count + 1) * sizeof *sealing->shards);
}

/* The builds regroup by token, in another thread than ours. */
static void give_tokens(const struct sealing *sealing)
{
    const struct intake *intake = sealing->intake;
    if (intake->settings.router->kind != ROUTE_CEL_INFERRED) {
        return;
    }
    const struct token_table *table = route_scratch_tokens(intake->routing);
    size_t count = token_table_count(table);
    const char **texts = arena_zero(sealing->arena, (count + 1) * sizeof(char *));
    for (size_t i = 0; i < count; i++) {
        texts[i] = token_table_text(table, (uint32_t)i);
    }
    contribution_set_tokens(sealing->contribution, texts, count);
}

static bool seal(struct sealing *sealing, struct intake_sealed *ret_sealed, struct err *err)
{
    struct intake *intake = sealing->intake;
    for (size_t i = 0; i < contribution_share_count(sealing->contribution); i++) {
        TRY(look_at_share(sealing, i, err));
    }
    struct ready_partition *ready =
        arena_zero(sealing->arena, (sealing->count + 1) * sizeof *ready);
    for (size_t i = 0; i < sealing->count; i++) {
        ready[i] = account_of(sealing, &sealing->partitions[i],
                              intake_find(intake, sealing->partitions[i].id));
    }
    TRY(check_ratio(intake, ready, sealing->count, err));
    TRY(dead_letters_flush(intake->settings.letters, err));
    *ret_sealed = (struct intake_sealed){
        .contribution = sealing->contribution,
        .partitions = ready,
        .partition_count = sealing->count,
    };
    list_groups(sealing, ret_sealed);
    list_looks(sealing, ret_sealed);
    give_tokens(sealing);
    return true;
}

bool intake_seal(struct intake *intake, uint64_t build,
                 const struct member_seal_partition *partitions, size_t count, struct arena *arena,
                 struct intake_sealed *ret_sealed, struct err *err)
{
    TRY(check_positions(intake, partitions, count, err));
    for (size_t i = 0; i < count; i++) {
        intake_find(intake, partitions[i].id)->future_count = 0;
    }
    held_rows_freeze(intake->settings.held);
    struct sealing sealing = {
        .intake = intake,
        .partitions = partitions,
        .count = count,
        .arena = arena,
    };
    set_groups(&sealing);
    sealing.contribution = make_contribution(&sealing, build);
    sealing.filter = contribution_filter(sealing.contribution, arena);
    if (!seal(&sealing, ret_sealed, err)) {
        contribution_drop(sealing.contribution);
        return false;
    }
    return true;
}
