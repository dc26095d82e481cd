/* The leader closes: which trigger asks for a build, and the CLOSE that fixes its cuts (R3). */
#include "core/coord/leader_state.h"
#include "core/window/cron.h"

/* A build that shall be closed. */
struct wish {
    enum close_trigger trigger;
    int64_t tick_us;
    const char **triggers; /* ids */
    size_t trigger_count;
    const struct message_trigger *explicit_cuts; /* NULL: the present end, or what `trigger` says */
    int64_t ends_after; /* ends must have been asked for when the ledger was read to here */
    int64_t ends_since_us;
};

static bool trigger_is_new(const struct leader *leader, const char *id)
{
    const struct message_commit *head = fold_head(leader->fold);
    return head == NULL || !leader_has_text(head->used, head->used_count, id);
}

/* TRIGGERs: all that want the present end share one build; explicit cuts have their own. */
static bool wish_by_hand(struct leader *leader, struct wish *wish)
{
    wish->triggers = arena_zero(leader->out->arena, USED_MAX * sizeof(char *));
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(leader->fold, MESSAGE_TRIGGER, &at);
         entry != NULL; entry = fold_next(leader->fold, MESSAGE_TRIGGER, &at)) {
        const struct message_trigger *trigger = &entry->message.trigger;
        bool is_explicit = trigger->cut_count > 0;
        if (!trigger_is_new(leader, trigger->id) || wish->trigger_count == USED_MAX / 4 ||
            (is_explicit && wish->trigger_count > 0)) {
            continue;
        }
        wish->triggers[wish->trigger_count++] = trigger->id;
        wish->ends_after = entry->offset + 1;
        if (is_explicit) {
            wish->explicit_cuts = trigger;
            wish->trigger = TRIGGER_OFFSETS;
            return true;
        }
    }
    wish->trigger = TRIGGER_MANUAL;
    return wish->trigger_count > 0;
}

/* The last tick that is due, counted from the last CLOSE (R26); missed ones collapse. 0: none. */
static int64_t due_tick(const struct leader *leader)
{
    const struct message_commit *head = fold_head(leader->fold);
    const struct coord_settings *settings = leader->settings;
    int64_t last = head == NULL         ? leader->term_began_us
                   : head->tick_us != 0 ? head->tick_us
                                        : head->close_us;
    last = RULE_OFF(260) ? leader->term_began_us : last;
    last = leader->tick_seen_us > last ? leader->tick_seen_us : last;
    if (settings->cron != NULL) {
        return cron_last_us(settings->cron, last, leader->now_us);
    }
    int64_t tick = settings->interval_us <= 0
                       ? 0
                       : leader->now_us / settings->interval_us * settings->interval_us;
    return tick > last ? tick : 0;
}

static bool wish_by_trigger(const struct leader *leader, struct wish *wish)
{
    wish->trigger = leader->settings->trigger;
    switch (leader->settings->trigger) {
    case TRIGGER_SCHEDULE:
        wish->tick_us = due_tick(leader);
        wish->ends_since_us = wish->tick_us;
        return wish->tick_us != 0;
    case TRIGGER_OFFSETS:
        return leader->settings->every_records > 0;
    case TRIGGER_EVENT_TIME:
        return true;
    case TRIGGER_MANUAL:
        return false;
    }
    return false;
}

static bool ends_name(const struct leader_seen_ends *ends, struct partition_id id)
{
    size_t low = 0;
    size_t high = ends->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = partition_id_compare(ends->list[middle].id, id);
        if (order == 0) {
            return true;
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return false;
}

/* A member reads a partition that the last answer did not name: its records count at once. Of one
 * that the brokers do not tell us of yet each PROGRESS asks once. */
static bool a_new_one_is_read(const struct leader *leader)
{
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(leader->fold, MESSAGE_PROGRESS, &at);
         entry != NULL; entry = fold_next(leader->fold, MESSAGE_PROGRESS, &at)) {
        const struct message_progress *progress = &entry->message.progress;
        bool counts = entry->offset >= leader->ends.asked_end &&
                      strcmp(progress->fingerprint, leader->settings->fingerprint) == 0;
        for (size_t i = 0; counts && i < progress->partition_count; i++) {
            if (!ends_name(&leader->ends, progress->partitions[i].id)) {
                return true;
            }
        }
    }
    return false;
}

/* The ends are there and new enough, or are being asked for. */
static bool ends_serve(struct leader *leader, const struct wish *wish)
{
    const struct leader_seen_ends *ends = &leader->ends;
    if (ends->known && ends->asked_end >= wish->ends_after &&
        ends->asked_us >= wish->ends_since_us &&
        leader->now_us - ends->asked_us < leader->settings->partitions_check_us &&
        !a_new_one_is_read(leader)) {
        return true;
    }
    leader_ask_ends(leader);
    return false;
}

/* A topic that was deleted and made again has other records under the same offsets (R9). */
static const char *recreated_topic(const struct leader *leader)
{
    const struct message_commit *head = fold_head(leader->fold);
    for (size_t i = 0; head != NULL && i < head->topic_count; i++) {
        const struct message_topic *topic = &head->topics[i];
        for (size_t j = 0; j < leader->ends.count; j++) {
            const struct coord_ends *ends = &leader->ends.list[j];
            if (strcmp(ends->id.topic, topic->name) == 0 && ends->topic_id[0] != '\0' &&
                topic->id[0] != '\0' && strcmp(ends->topic_id, topic->id) != 0) {
                return topic->name;
            }
        }
    }
    return NULL;
}

static void cut_at_ends(const struct leader *leader, struct close_partition *vector, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t end = leader->ends.list[i].last_stable;
        vector[i].cut = end > vector[i].seen_end ? end : vector[i].seen_end;
    }
}

static void cut_as_asked(const struct message_trigger *trigger, struct close_partition *vector,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < trigger->cut_count; j++) {
            if (partition_id_compare(vector[i].id, trigger->cuts[j].id) == 0 &&
                trigger->cuts[j].cut > vector[i].seen_end) {
                vector[i].cut = trigger->cuts[j].cut;
            }
        }
    }
}

/* R29: who has no room for more. What it says is of this build, so that one CLOSE is enough. NULL:
 * nobody. */
static const char *short_of_room(const struct leader *leader)
{
    uint64_t build = fold_next_build(leader->fold);
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(leader->fold, MESSAGE_PROGRESS, &at);
         entry != NULL && !RULE_OFF(290); entry = fold_next(leader->fold, MESSAGE_PROGRESS, &at)) {
        const struct message_progress *progress = &entry->message.progress;
        if (progress->needs_build == build && leader_is_alive(leader, progress->member, 0) &&
            strcmp(progress->fingerprint, leader->settings->fingerprint) == 0) {
            return progress->member;
        }
    }
    return NULL;
}

static bool cut_by_count(struct leader *leader, struct close_partition *vector, size_t count)
{
    uint64_t records = 0;
    for (size_t i = 0; i < count; i++) {
        struct fold_pair pair;
        if (fold_pair(leader->fold, leader->settings->fingerprint, vector[i].id, &pair) &&
            pair.position > vector[i].seen_end) {
            vector[i].cut = pair.position;
            records += (uint64_t)(pair.position - vector[i].seen_end);
        }
    }
    if (records >= leader->settings->every_records) {
        return true;
    }
    const char *member = records == 0 ? NULL : short_of_room(leader);
    if (member != NULL) {
        leader_alert(leader,
                     "closed before window.every_records: the disk of %s is nearly full of rows "
                     "(limits.disk_budget)",
                     member);
    }
    return member != NULL;
}

static bool anything_read(const struct close_partition *vector, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (vector[i].cut > vector[i].seen_end) {
            return true;
        }
    }
    return false;
}

/* Fills the cuts. False: nothing is due after all. */
static bool fix_cuts(struct leader *leader, const struct wish *wish, struct close_partition *vector,
                     size_t count, int64_t *out_to_us)
{
    *out_to_us = EVENT_TIME_HIGH;
    if (wish->explicit_cuts != NULL) {
        cut_as_asked(wish->explicit_cuts, vector, count);
        return true;
    }
    if (wish->trigger == TRIGGER_EVENT_TIME) {
        return leader_event_time_cut(leader, vector, count, out_to_us);
    }
    if (wish->trigger == TRIGGER_OFFSETS) {
        return cut_by_count(leader, vector, count);
    }
    cut_at_ends(leader, vector, count);
    if (wish->trigger == TRIGGER_SCHEDULE && leader->settings->empty == EMPTY_SKIP &&
        !anything_read(vector, count)) {
        leader->tick_seen_us = wish->tick_us;
        return false;
    }
    return true;
}

/* Never lower than before (R24); without event time there is no future. */
static int64_t future_bound(const struct leader *leader)
{
    if (leader->settings->trigger != TRIGGER_EVENT_TIME) {
        return INT64_MAX;
    }
    const struct message_commit *head = fold_head(leader->fold);
    int64_t bound = leader->now_us + leader->settings->max_future_skew_us;
    int64_t before = head == NULL || head->future_bound_us == INT64_MAX ? INT64_MIN
                                                                        : head->future_bound_us;
    return before > bound ? before : bound;
}

static const struct message_topic *topics_of_ends(struct leader *leader, size_t *out_count)
{
    struct message_topic *topics =
        arena_zero(leader->out->arena, (TOPICS_MAX + 1) * sizeof *topics);
    size_t count = 0;
    for (size_t i = 0; i < leader->ends.count && count < TOPICS_MAX; i++) {
        const struct coord_ends *ends = &leader->ends.list[i];
        if (count == 0 || strcmp(topics[count - 1].name, ends->id.topic) != 0) {
            topics[count++] = (struct message_topic){.name = ends->id.topic, .id = ends->topic_id};
        }
    }
    *out_count = count;
    return topics;
}

static void append_close(struct leader *leader, const struct wish *wish,
                         const struct close_partition *vector, size_t count, int64_t to_us)
{
    const struct message_commit *head = fold_head(leader->fold);
    struct message message = {.kind = MESSAGE_CLOSE};
    struct message_close *close = &message.close;
    int64_t closed_to = head == NULL ? EVENT_TIME_LOW : head->closed_to_us;
    close->term = (uint64_t)leader->term;
    close->build = fold_next_build(leader->fold);
    close->parent = head == NULL ? "" : head->run_id;
    close->trigger = wish->trigger;
    close->contents = leader->settings->contents;
    close->time_us = leader->now_us;
    close->tick_us = wish->tick_us;
    close->from_us = closed_to;
    close->to_us = to_us;
    close->closed_to_us = to_us == EVENT_TIME_HIGH ? closed_to : to_us;
    close->future_bound_us = future_bound(leader);
    close->fingerprint = leader->settings->fingerprint;
    close->topics = topics_of_ends(leader, &close->topic_count);
    close->partitions = vector;
    close->partition_count = count;
    close->witnesses = leader_witnesses(leader, close, &close->witness_count);
    close->triggers = (const char *const *)wish->triggers;
    close->trigger_count = wish->trigger_count;
    leader_append_one(leader, &message);
}

/* How many snapshots are committed and wait for an operator. */
static bool may_commit_more(const struct leader *leader)
{
    const struct message_commit *head = fold_head(leader->fold);
    bool held = fold_hold(leader->fold) != NULL;
    if (fold_head_published(leader->fold)) {
        /* held without a head: perhaps the ledger was lost, and nothing may be begun anew (R21) */
        return !held || head != NULL;
    }
    return held && head->pending_count + 1 < leader->settings->max_unpublished_windows &&
           head->pending_count + 1 < PENDING_MAX;
}

/* CLOSE is final (R3): a new leader uses the vector of the old one as it is. */
static bool is_closed(const struct leader *leader)
{
    const struct fold_entry *close = fold_open_close(leader->fold);
    bool ours = close != NULL && (int64_t)close->message.close.term == leader->term;
    return ours || (close != NULL && !RULE_OFF(3));
}

static bool history_is_full(const struct leader *leader)
{
    const struct message_commit *head = fold_head(leader->fold);
    return head != NULL && head->history_count >= HISTORY_MAX;
}

bool leader_duty_close(struct leader *leader)
{
    if (is_closed(leader) || fold_resume(leader->fold) != NULL || !may_commit_more(leader)) {
        return false;
    }
    if (history_is_full(leader)) {
        leader_alert(leader,
                     "a row far ahead keeps %d builds from being forgotten: max_future_skew is "
                     "too large for this window size",
                     HISTORY_MAX);
        return false;
    }
    const char *why = NULL;
    if (!leader_base_fits(leader, &why)) {
        const char *text = leader_text(leader, "no build is begun: %s", why);
        leader_alert(leader, "%s", text);
        leader_does(leader, text);
        leader->unfit = true;
        return false;
    }
    struct wish wish = {0};
    if (!wish_by_hand(leader, &wish) && !wish_by_trigger(leader, &wish)) {
        if (fold_hold(leader->fold) == NULL) {
            leader_does(leader, "waits for the trigger"); /* else it is for the operator first */
        }
        return false;
    }
    if (!ends_serve(leader, &wish)) {
        return true;
    }
    const char *recreated = recreated_topic(leader);
    if (recreated != NULL) {
        const char *text = leader_text(
            leader, "topic %s was deleted and made again: offsets on record mean other records",
            recreated);
        leader_alert(leader, "%s", text);
        leader_does(leader, text);
        return false;
    }
    struct close_partition *vector = NULL;
    size_t count = leader_vector(leader, &vector);
    int64_t to_us = EVENT_TIME_HIGH;
    if (!fix_cuts(leader, &wish, vector, count, &to_us)) {
        return false;
    }
    append_close(leader, &wish, vector, count, to_us);
    return true;
}

/* The settings changed between CLOSE and COMMIT, and everybody has the new ones: the same vector
 * (R3) under the new fingerprint (R9). What was promised under the old one does not fit it, so
 * nothing is mixed. */
bool leader_duty_reclose(struct leader *leader)
{
    const struct fold_entry *entry = fold_open_close(leader->fold);
    if (entry == NULL ||
        strcmp(entry->message.close.fingerprint, leader->settings->fingerprint) == 0) {
        return false;
    }
    const struct message_close *close = &entry->message.close;
    for (size_t i = 0; i < close->partition_count; i++) {
        struct fold_pair pair;
        if (!fold_pair(leader->fold, leader->settings->fingerprint, close->partitions[i].id,
                       &pair) ||
            pair.owner == NULL) {
            leader_does(
                leader,
                "waits for members with the settings of the open CLOSE, or all with the new ones");
            return false;
        }
    }
    const struct fold_entry *plan = fold_open_plan(leader->fold);
    struct message messages[2] = {{.kind = MESSAGE_CLOSE, .close = *close}};
    size_t count = 1;
    messages[0].close.term = (uint64_t)leader->term;
    messages[0].close.fingerprint = leader->settings->fingerprint;
    messages[0].close.contents = leader->settings->contents;
    if (plan != NULL) {
        messages[count++] = (struct message){.kind = MESSAGE_ABORTED,
                                             .aborted = {.term = (uint64_t)leader->term,
                                                         .build = close->build,
                                                         .run_id = plan->message.plan.run_id,
                                                         .reason = "the settings changed"}};
    }
    leader_append(leader, FOR_RECORDS, messages, count, NULL, 0);
    return true;
}
