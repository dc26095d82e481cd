/* The fields of every record, as tables. */
#include "core/coord/message_schema.h"

#include "core/coord/message_fields.h"

static const char *const progress_states[] = {"reading", "idle", "blocked"};
static const char *const commit_kinds[] = {"build", "empty", "adopted", "resumed"};
static const char *const resume_modes[] = {"adopt", "from_here"};

static const struct codec_field topic_fields[] = {
    TEXT(message_topic, name),
    TEXT_IF(message_topic, id),
};
SCHEMA(topic, message_topic);

/* ---- members ---- */

static const struct codec_field progress_partition_fields[] = {
    PARTITION(progress_partition, id),
    BOOL(progress_partition, owned),
    OFFSET(progress_partition, from),
    OFFSET(progress_partition, position),
    I64_IF(progress_partition, watermark_us, EVENT_TIME_LOW),
    I64_IF(progress_partition, low_us, EVENT_TIME_HIGH),
    ENUM(progress_partition, state, progress_states),
    COUNT(progress_partition, rows),
    COUNT(progress_partition, bytes),
    BOOL(progress_partition, handing_over),
};
SCHEMA(progress_partition, progress_partition, .sorted = true);

static const struct codec_field witness_fields[] = {
    OFFSET(witness, offset),
    U64(witness, hash),
};
SCHEMA(witness, witness);

static const struct codec_field topic_witness_fields[] = {
    PARTITION(topic_witness, id),
    STRUCT(topic_witness, witness, witness_schema),
};
SCHEMA(topic_witness, topic_witness, .sorted = true);

static const struct codec_field progress_fields[] = {
    NAME(message_progress, member),
    U64(message_progress, incarnation),
    I64_IF(message_progress, generation, -1),
    TEXT(message_progress, fingerprint),
    BOOL(message_progress, leaving),
    COUNT(message_progress, needs_build),
    TEXT_IF(message_progress, doing),
    TEXT_IF(message_progress, paused),
    TEXT_IF(message_progress, leading),
    LIST(message_progress, topics, topic_count, TOPICS_MAX, topic_schema),
    LIST(message_progress, partitions, partition_count, PARTITIONS_MAX, progress_partition_schema),
    LIST(message_progress, witnesses, witness_count, TOPICS_MAX, topic_witness_schema),
};
SCHEMA(progress, message_progress);

static const struct codec_field ready_partition_fields[] = {
    PARTITION(ready_partition, id),
    BOOL(ready_partition, owned),
    OFFSET(ready_partition, from),
    OFFSET(ready_partition, to),
    COUNT(ready_partition, read),
    COUNT(ready_partition, carried_in),
    COUNT(ready_partition, rows),
    COUNT(ready_partition, late),
    COUNT(ready_partition, future),
    COUNT(ready_partition, rejected),
    COUNT(ready_partition, filtered),
    COUNT(ready_partition, carried_out),
    OFFSET(ready_partition, carried_from),
    STRUCT_IF(ready_partition, witness, has_witness, witness_schema),
};
SCHEMA(ready_partition, ready_partition, .sorted = true);

static const struct codec_field shard_size_fields[] = {
    U32(shard_size, shard, 0, SHARDS_MAX - 1),
    U64(shard_size, rows),
    U64(shard_size, bytes),
};
SCHEMA(shard_size, shard_size, .tuple = true);

static const struct codec_field token_size_fields[] = {
    TEXT(token_size, token),
    U64(token_size, rows),
    U64(token_size, bytes),
};
SCHEMA(token_size, token_size, .tuple = true);

static const struct codec_field ready_fields[] = {
    NAME(message_ready, member),
    U64(message_ready, incarnation),
    I64_IF(message_ready, generation, -1),
    U64(message_ready, build),
    TEXT(message_ready, fingerprint),
    LIST(message_ready, partitions, partition_count, PARTITIONS_MAX, ready_partition_schema),
    LIST(message_ready, shards, shard_count, SHARDS_MAX, shard_size_schema),
    LIST(message_ready, tokens, token_count, SHARDS_MAX, token_size_schema),
    COUNT(message_ready, rows),
    COUNT(message_ready, bytes),
};
SCHEMA(ready, message_ready);

static const struct codec_field refused_fields[] = {
    NAME(message_refused, member), U64(message_refused, incarnation),
    U64(message_refused, build),   TEXT(message_refused, fingerprint),
    TEXT(message_refused, reason),
};
SCHEMA(refused, message_refused);

static const struct codec_field plan_range_fields[] = {
    PARTITION(plan_range, id),
    OFFSET(plan_range, from),
    OFFSET(plan_range, to),
};
SCHEMA(plan_range, plan_range);

static const struct codec_field part_fields[] = {
    NAME(message_part, member),
    U64(message_part, incarnation),
    U64(message_part, build),
    TEXT(message_part, url),
    TEXT(message_part, digest),
    LIST(message_part, ranges, range_count, PARTITIONS_MAX, plan_range_schema),
    COUNT(message_part, rows),
    COUNT(message_part, bytes),
};
SCHEMA(part, message_part);

static const struct codec_field handover_fields[] = {
    NAME(message_handover, member),
    U64(message_handover, incarnation),
    U64(message_handover, build),
    U64(message_handover, number),
    PARTITION(message_handover, id),
    TEXT_IF(message_handover, topic_id),
    TEXT(message_handover, fingerprint),
    OFFSET(message_handover, from),
    OFFSET(message_handover, to),
    I32(message_handover, leader_epoch, -1, INT32_MAX),
    I64_IF(message_handover, event_time_max_us, EVENT_TIME_LOW),
    NAME_IF(message_handover, head),
    TEXT(message_handover, url),
    TEXT(message_handover, digest),
    U64(message_handover, bytes),
    TEXT(message_handover, tally_digest),
    U64(message_handover, tally_bytes),
    COUNT(message_handover, rows),
    LIST(message_handover, witnesses, witness_count, WITNESS_ENDS, witness_schema),
};
SCHEMA(handover, message_handover);

static const struct codec_field attempt_partition_fields[] = {
    PARTITION(attempt_partition, id),
    COUNT(attempt_partition, stored),
    COUNT(attempt_partition, superseded),
    COUNT(attempt_partition, tombstones),
};
SCHEMA(attempt_partition, attempt_partition, .sorted = true);

static const struct codec_field attempt_fields[] = {
    NAME(message_attempt, member),
    U64(message_attempt, incarnation),
    U64(message_attempt, build),
    NAME(message_attempt, run_id),
    U32(message_attempt, shard, 0, SHARDS_MAX - 1),
    U32(message_attempt, attempt, 1, INT32_MAX),
    BOOL(message_attempt, ok),
    TEXT_IF(message_attempt, error),
    TEXT_IF(message_attempt, url),
    COUNT(message_attempt, row_count),
    COUNT(message_attempt, db_bytes),
    COUNT(message_attempt, order_bytes),
    TEXT_OR_NULL(message_attempt, min_key),
    TEXT_OR_NULL(message_attempt, max_key),
    TEXT_OR_NULL(message_attempt, checkpoint_id),
    COUNT(message_attempt, duration_ms),
    {.name = "page_size",
     .type = CODEC_U32,
     .optional = true,
     .max = UINT32_MAX,
     .offset = offsetof(struct message_attempt, page_size)},
    LIST(message_attempt, partitions, partition_count, PARTITIONS_MAX, attempt_partition_schema),
    TEXTS(message_attempt, canaries, canary_count, CANARIES_MAX),
};
SCHEMA(attempt, message_attempt);

/* ---- the leader ---- */

static const struct codec_field leader_fields[] = {
    NAME(message_leader, member),
    NAME(message_leader, nonce),
};
SCHEMA(leader, message_leader);

static const struct codec_field close_partition_fields[] = {
    PARTITION(close_partition, id),    OFFSET(close_partition, tail_from),
    OFFSET(close_partition, seen_end), OFFSET(close_partition, cut),
    BOOL(close_partition, joined),
};
SCHEMA(close_partition, close_partition, .sorted = true);

static const struct codec_field close_fields[] = {
    U64(message_close, term),
    U64(message_close, build),
    NAME_IF(message_close, parent),
    ENUM(message_close, trigger, close_trigger_names),
    ENUM(message_close, contents, contents_names),
    I64(message_close, time_us),
    I64_IF(message_close, tick_us, 0),
    I64_IF(message_close, from_us, EVENT_TIME_LOW),
    I64_IF(message_close, to_us, EVENT_TIME_HIGH),
    I64_IF(message_close, closed_to_us, EVENT_TIME_LOW),
    I64_IF(message_close, future_bound_us, INT64_MAX),
    TEXT(message_close, fingerprint),
    LIST(message_close, topics, topic_count, TOPICS_MAX, topic_schema),
    LIST(message_close, partitions, partition_count, PARTITIONS_MAX, close_partition_schema),
    LIST(message_close, witnesses, witness_count, TOPICS_MAX, topic_witness_schema),
    TEXTS(message_close, triggers, trigger_count, USED_MAX),
};
SCHEMA(close, message_close);

static const struct codec_field plan_contribution_fields[] = {
    NAME(plan_contribution, member),
    U64(plan_contribution, incarnation),
    LIST(plan_contribution, ranges, range_count, PARTITIONS_MAX, plan_range_schema),
};
SCHEMA(plan_contribution, plan_contribution);

static const struct codec_field plan_skip_fields[] = {
    NAME(plan_skip, id),
    STRUCT(plan_skip, range, plan_range_schema),
};
SCHEMA(plan_skip, plan_skip);

static const struct codec_field plan_shard_fields[] = {
    I32(plan_shard, builder, -1, MEMBERS_MAX - 1),
    U32(plan_shard, attempt, 0, INT32_MAX),
};
SCHEMA(plan_shard, plan_shard, .tuple = true);

static const struct codec_field plan_attempt_fields[] = {
    U32(plan_attempt, shard, 0, SHARDS_MAX - 1),
    U32(plan_attempt, attempt, 1, INT32_MAX),
    I32(plan_attempt, builder, 0, MEMBERS_MAX - 1),
    I64(plan_attempt, since_us),
};
SCHEMA(plan_attempt, plan_attempt, .tuple = true);

static const struct codec_field plan_base_fields[] = {
    NAME(plan_base, run_id),        I64(plan_base, time_us),
    TEXT_IF(plan_base, staged_url), U32(plan_base, num_dbs, 1, SHARDS_MAX),
    BOOL(plan_base, whole),
};
SCHEMA(plan_base, plan_base);

static const struct codec_field plan_fields[] = {
    U64(message_plan, term),
    U64(message_plan, build),
    NAME(message_plan, run_id),
    I64(message_plan, time_us),
    I64_IF(message_plan, began_us, 0),
    LIST(message_plan, contributions, contribution_count, 4 * MEMBERS_MAX,
         plan_contribution_schema),
    LIST(message_plan, skips, skip_count, PARTITIONS_MAX, plan_skip_schema),
    TEXTS(message_plan, members, member_count, MEMBERS_MAX),
    LIST(message_plan, shards, shard_count, SHARDS_MAX, plan_shard_schema),
    LIST(message_plan, attempts, attempt_count, 2 * SHARDS_MAX, plan_attempt_schema),
    TEXTS(message_plan, routing_values, routing_value_count, SHARDS_MAX),
    STRUCT_IF(message_plan, base, has_base, plan_base_schema),
    U32S(message_plan, carried, carried_count, SHARDS_MAX, SHARDS_MAX - 1),
};
SCHEMA(plan, message_plan);

static const struct codec_field account_fields[] = {
    COUNT(account, read),        COUNT(account, carried_in), COUNT(account, stored),
    COUNT(account, superseded),  COUNT(account, tombstones), COUNT(account, late),
    COUNT(account, future),      COUNT(account, rejected),   COUNT(account, filtered),
    COUNT(account, carried_out), COUNT(account, skipped),
};
SCHEMA(account, account);

static const struct codec_field commit_partition_fields[] = {
    PARTITION(commit_partition, id),
    OFFSET(commit_partition, tail_from),
    OFFSET(commit_partition, cut),
    STRUCT(commit_partition, account, account_schema),
    STRUCT_IF(commit_partition, witness, has_witness, witness_schema),
};
SCHEMA(commit_partition, commit_partition, .sorted = true);

static const struct codec_field history_cut_fields[] = {
    U32(history_cut, partition, 0, PARTITIONS_MAX - 1),
    OFFSET(history_cut, cut),
    BOOL(history_cut, joined),
};
SCHEMA(history_cut, history_cut, .tuple = true);

static const struct codec_field history_step_fields[] = {
    U64(history_step, build),
    I64_IF(history_step, from_us, EVENT_TIME_LOW),
    I64_IF(history_step, to_us, EVENT_TIME_HIGH),
    I64_IF(history_step, future_bound_us, INT64_MAX),
    LIST(history_step, cuts, cut_count, PARTITIONS_MAX, history_cut_schema),
};
SCHEMA(history_step, history_step);

static const struct codec_field state_shape_fields[] = {
    TEXT(state_shape, keys),     TEXT(state_shape, routing),         TEXT(state_shape, files),
    TEXT_IF(state_shape, order), TEXT_OR_NULL(state_shape, vectors),
};
SCHEMA(state_shape, state_shape);

/* Without the last three: only the ledger needs them. */
#define LINEAGE_SNAPSHOT_FIELDS                                                                    \
    NAME(commit_snapshot, run_id), U64(commit_snapshot, build), I64(commit_snapshot, time_us),     \
        U32(commit_snapshot, num_dbs, 1, SHARDS_MAX), COUNT(commit_snapshot, rows),                \
        STRUCT_IF(commit_snapshot, state, is_state, state_shape_schema),                           \
        TEXT_OR_NULL(commit_snapshot, base)

static const struct codec_field lineage_snapshot_fields[] = {LINEAGE_SNAPSHOT_FIELDS};
SCHEMA(lineage_snapshot, commit_snapshot);

static const struct codec_field snapshot_fields[] = {
    LINEAGE_SNAPSHOT_FIELDS,
    TEXT(commit_snapshot, staged_url),
    TEXT(commit_snapshot, manifest_ref),
    TEXT(commit_snapshot, sha256),
    TEXT(commit_snapshot, pointer),
};
SCHEMA(snapshot, commit_snapshot);

static const struct codec_field commit_order_fields[] = {
    U32(commit_order, shard, 0, SHARDS_MAX - 1),
    TEXT(commit_order, url),
};
SCHEMA(commit_order, commit_order, .tuple = true);

static const struct codec_field made_of_fields[] = {
    I64_IF(commit_made_of, from_us, EVENT_TIME_LOW),
    I64_IF(commit_made_of, to_us, EVENT_TIME_HIGH),
    LIST(commit_made_of, partitions, partition_count, PARTITIONS_MAX, close_partition_schema),
    LIST(commit_made_of, before, before_count, HISTORY_MAX, history_step_schema),
    LIST(commit_made_of, skipped, skipped_count, PARTITIONS_MAX, plan_range_schema),
    NAME_IF(commit_made_of, base),
    BOOL(commit_made_of, whole),
    LIST(commit_made_of, orders, order_count, SHARDS_MAX, commit_order_schema),
};
SCHEMA(made_of, commit_made_of);

static const struct codec_field pending_fields[] = {
    NAME(commit_pending, run_id),
    TEXT(commit_pending, staged_url),
    TEXT(commit_pending, manifest_ref),
    TEXT(commit_pending, sha256),
};
SCHEMA(pending, commit_pending);

#define LINEAGE_FIELDS                                                                             \
    U64(message_commit, term), U64(message_commit, build), NAME(message_commit, run_id),           \
        NAME_IF(message_commit, parent), ENUM(message_commit, trigger, close_trigger_names),       \
        I64(message_commit, time_us), I64(message_commit, close_us),                               \
        I64_IF(message_commit, tick_us, 0), I64_IF(message_commit, closed_to_us, EVENT_TIME_LOW),  \
        I64_IF(message_commit, future_bound_us, INT64_MAX), TEXT(message_commit, fingerprint),     \
        LIST(message_commit, topics, topic_count, TOPICS_MAX, topic_schema),                       \
        LIST(message_commit, partitions, partition_count, PARTITIONS_MAX,                          \
             commit_partition_schema),                                                             \
        LIST(message_commit, history, history_count, HISTORY_MAX, history_step_schema),            \
        TEXTS(message_commit, used, used_count, USED_MAX),                                         \
        TEXTS(message_commit, ancestors, ancestor_count, ANCESTORS_MAX),                           \
        TEXTS(message_commit, given_up, given_up_count, PENDING_MAX)

static const struct codec_field lineage_fields[] = {
    LINEAGE_FIELDS,
    STRUCT(message_commit, snapshot, lineage_snapshot_schema),
    STRUCT_IF(message_commit, made_of, has_made_of, made_of_schema),
};
SCHEMA(lineage, message_commit);

static const struct codec_field commit_fields[] = {
    LINEAGE_FIELDS,
    /* not "kind", which every record has */
    {.name = "commit_kind",
     .type = CODEC_ENUM,
     .offset = offsetof(struct message_commit, kind),
     .names = commit_kinds,
     .name_count = LENGTH_OF(commit_kinds),
     .text_max = MESSAGE_NAME_MAX},
    STRUCT_IF(message_commit, snapshot, has_snapshot, snapshot_schema),
    U32S(message_commit, winners, winner_count, SHARDS_MAX, INT32_MAX),
    LIST(message_commit, pending, pending_count, PENDING_MAX, pending_schema),
    TEXT_OR_NULL(message_commit, pointer_now),
    COUNT(message_commit, resume_offset),
    TEXTS(message_commit, earlier_pointers, earlier_pointer_count, EARLIER_POINTERS_MAX),
};
SCHEMA(commit, message_commit);

static const struct codec_field published_fields[] = {
    U64(message_published, term),
    U64(message_published, build),
    NAME(message_published, run_id),
    I64(message_published, time_us),
};
SCHEMA(published, message_published);

static const struct codec_field aborted_fields[] = {
    U64(message_aborted, term),
    U64(message_aborted, build),
    NAME(message_aborted, run_id),
    TEXT(message_aborted, reason),
};
SCHEMA(aborted, message_aborted);

/* ---- operators ---- */

static const struct codec_field hold_fields[] = {
    NAME(message_hold, id),        TEXT_IF(message_hold, who), TEXT_IF(message_hold, why),
    NAME_IF(message_hold, target), COUNT(message_hold, term),  NAME_IF(message_hold, may_appear),
};
SCHEMA(hold, message_hold);

static const struct codec_field resume_fields[] = {
    NAME(message_resume, id),
    TEXT_IF(message_resume, who),
    TEXT_IF(message_resume, why),
    ENUM(message_resume, mode, resume_modes),
    TEXT_OR_NULL(message_resume, pointer),
};
SCHEMA(resume, message_resume);

static const struct codec_field trigger_cut_fields[] = {
    PARTITION(trigger_cut, id),
    OFFSET(trigger_cut, cut),
};
SCHEMA(trigger_cut, trigger_cut, .sorted = true);

static const struct codec_field trigger_fields[] = {
    NAME(message_trigger, id),
    TEXT_IF(message_trigger, who),
    TEXT_IF(message_trigger, why),
    LIST(message_trigger, cuts, cut_count, PARTITIONS_MAX, trigger_cut_schema),
};
SCHEMA(trigger, message_trigger);

static const struct codec_field skip_fields[] = {
    NAME(message_skip, id),
    TEXT_IF(message_skip, who),
    TEXT_IF(message_skip, why),
    STRUCT(message_skip, range, plan_range_schema),
};
SCHEMA(skip, message_skip);

static const struct codec_field gated_fields[] = {
    U64(message_gated, term),
    U64(message_gated, build),
    NAME(message_gated, run_id),
    TEXTS(message_gated, reasons, reason_count, REASONS_MAX),
};
SCHEMA(gated, message_gated);

static const struct codec_field accept_fields[] = {
    NAME(message_accept, id),   TEXT_IF(message_accept, who), TEXT_IF(message_accept, why),
    U64(message_accept, build), NAME(message_accept, run_id),
};
SCHEMA(accept, message_accept);

static const struct codec_field condemn_fields[] = {
    U64(message_condemn, term),       NAME(message_condemn, run_id),
    I64(message_condemn, time_us),    BOOL(message_condemn, whole_run),
    BOOL(message_condemn, at_once),   TEXTS(message_condemn, objects, object_count, OBJECTS_MAX),
    TEXT_IF(message_condemn, reason),
};
SCHEMA(condemn, message_condemn);

static const struct codec_schema *const schemas[MESSAGE_KINDS] = {
    [MESSAGE_PROGRESS] = &progress_schema, [MESSAGE_LEADER] = &leader_schema,
    [MESSAGE_CLOSE] = &close_schema,       [MESSAGE_READY] = &ready_schema,
    [MESSAGE_REFUSED] = &refused_schema,   [MESSAGE_PLAN] = &plan_schema,
    [MESSAGE_PART] = &part_schema,         [MESSAGE_ATTEMPT] = &attempt_schema,
    [MESSAGE_COMMIT] = &commit_schema,     [MESSAGE_PUBLISHED] = &published_schema,
    [MESSAGE_ABORTED] = &aborted_schema,   [MESSAGE_HOLD] = &hold_schema,
    [MESSAGE_HELD] = &hold_schema,         [MESSAGE_RESUME] = &resume_schema,
    [MESSAGE_TRIGGER] = &trigger_schema,   [MESSAGE_SKIP] = &skip_schema,
    [MESSAGE_GATED] = &gated_schema,       [MESSAGE_ACCEPT] = &accept_schema,
    [MESSAGE_CONDEMN] = &condemn_schema,   [MESSAGE_SPARE] = &condemn_schema,
    [MESSAGE_HANDOVER] = &handover_schema,
};

const struct codec_schema *message_schema(enum message_kind kind)
{
    CHECK(kind < MESSAGE_KINDS);
    return schemas[kind];
}

const struct codec_schema *message_lineage_schema(void)
{
    return &lineage_schema;
}
