/* What must be read, and how it is judged, to make a snapshot again: out of its lineage alone. */
#include "consumer/verify/verify_plan.h"

#include "core/fingerprint.h"

enum { DIFFERENCES_SHOWN = 6 };

/* ---- in what settings differ ---- */

struct words {
    const char **words;
    size_t count;
};

/* Where "name=value" that begins at `at` ends: its value may have blanks in it. */
static size_t word_end(const char *at, size_t end)
{
    size_t i = 0;
    for (;;) {
        while (i < end && at[i] != ' ') {
            i++;
        }
        size_t blank = i;
        while (i < end && at[i] == ' ') {
            i++;
        }
        size_t next = i + strcspn(at + i, " =\n");
        if (i == end || (next < end && at[next] == '=')) {
            return blank;
        }
    }
}

/* What a topic's lines say has the topic in front, so that two topics are not mixed up. */
static struct words words_of(const char *text, struct arena *arena)
{
    struct words words = {.words = arena_zero(arena, (strlen(text) / 2 + 2) * sizeof(char *))};
    const char *topic = NULL;
    for (const char *line = text; *line != '\0';) {
        size_t size = strcspn(line, "\n");
        topic = line[0] == ' ' || strncmp(line, "topic=", 6) == 0 ? topic : NULL;
        for (size_t at = strspn(line, " "); at < size;) {
            size_t length = word_end(line + at, size - at);
            const char *word = arena_text(arena, bytes_of(line + at, length));
            if (strncmp(word, "topic=", 6) == 0) {
                topic = word;
            } else if (topic != NULL) {
                word = arena_format(arena, "%s %s", topic, word);
            }
            words.words[words.count++] = word;
            at += length;
            at += strspn(line + at, " ");
        }
        line += size + (line[size] == '\n');
    }
    return words;
}

static bool has(const struct words *words, const char *word)
{
    for (size_t i = 0; i < words->count; i++) {
        if (strcmp(words->words[i], word) == 0) {
            return true;
        }
    }
    return false;
}

static void add_missing(const struct words *of, const struct words *in, const char *where,
                        size_t *shown, struct buf *out)
{
    for (size_t i = 0; i < of->count; i++) {
        if (has(in, of->words[i])) {
            continue;
        }
        if (++*shown <= DIFFERENCES_SHOWN) {
            buf_add_format(out, "%s%s %s", out->size == 0 ? "" : ", ", of->words[i], where);
        }
    }
}

const char *verify_plan_difference(const char *theirs, const char *ours, struct arena *arena)
{
    struct words left = words_of(theirs, arena);
    struct words right = words_of(ours, arena);
    AUTO(buf) struct buf out;
    buf_init(&out, 1 << 20);
    size_t shown = 0;
    add_missing(&left, &right, "there", &shown, &out);
    add_missing(&right, &left, "here", &shown, &out);
    if (shown > DIFFERENCES_SHOWN) {
        buf_add_format(&out, " and %zu more", shown - DIFFERENCES_SHOWN);
    }
    return arena_text(arena, buf_bytes(&out));
}

static bool check_settings(const struct verify_plan *plan, const struct settings *settings,
                           struct arena *arena, struct err *err)
{
    char ours[FINGERPRINT_TEXT_SIZE];
    fingerprint_settings(settings, ours);
    if (strcmp(plan->commit.fingerprint, ours) == 0) {
        return true;
    }
    AUTO(buf) struct buf text;
    buf_init(&text, SIZE_MAX / 2);
    fingerprint_print(settings, &text);
    const char *difference = verify_plan_difference(plan->maker.settings, buf_text(&text), arena);
    return err_set(err, ERR_SETTINGS,
                   "these settings make other content than run %s has (fingerprint %s there, %s "
                   "here): %s",
                   plan->commit.run_id, plan->commit.fingerprint, ours,
                   plan->maker.settings[0] == '\0' ? "its manifest does not say in what"
                                                   : difference);
}

/* ---- ranges and steps ---- */

static bool find_topic(const struct settings *settings, const char *name, uint32_t *ret_topic)
{
    for (size_t i = 0; i < settings->topic_count; i++) {
        if (strcmp(settings->topics[i].name, name) == 0) {
            *ret_topic = (uint32_t)i;
            return true;
        }
    }
    return false;
}

static const char *topic_id(const struct message_commit *commit, const char *name)
{
    for (size_t i = 0; i < commit->topic_count; i++) {
        if (strcmp(commit->topics[i].name, name) == 0) {
            return commit->topics[i].id;
        }
    }
    return "";
}

/* The builds before it that took rows above its tail, and the build itself: as the member that
 * sealed it had them. */
static void fill_steps(const struct message_commit *commit, const struct close_partition *of,
                       struct arena *arena, struct verify_partition *to)
{
    const struct commit_made_of *made_of = &commit->made_of;
    struct cut_step *steps = arena_zero(arena, (made_of->before_count + 1) * sizeof *steps);
    size_t count = 0;
    for (size_t i = 0; i < made_of->before_count; i++) {
        const struct history_step *step = &made_of->before[i];
        for (size_t k = 0; k < step->cut_count; k++) {
            const struct history_cut *cut = &step->cuts[k];
            if (partition_id_compare(commit->partitions[cut->partition].id, of->id) == 0) {
                steps[count++] =
                    (struct cut_step){.build = step->build,
                                      .from_us = cut->joined ? EVENT_TIME_LOW : step->from_us,
                                      .to_us = step->to_us,
                                      .cut = cut->cut,
                                      .future_bound_us = step->future_bound_us};
            }
        }
    }
    steps[count++] = (struct cut_step){.build = commit->build,
                                       .from_us = of->joined ? EVENT_TIME_LOW : made_of->from_us,
                                       .to_us = made_of->to_us,
                                       .cut = of->cut,
                                       .future_bound_us = commit->future_bound_us};
    to->steps = steps;
    to->step_count = count;
}

static int64_t start_of(const struct message_commit *commit, const struct close_partition *of)
{
    int64_t from = of->tail_from;
    for (size_t i = 0; i < commit->made_of.skipped_count; i++) {
        const struct plan_range *skipped = &commit->made_of.skipped[i];
        if (partition_id_compare(skipped->id, of->id) == 0 && skipped->from <= from &&
            skipped->to > from) {
            from = skipped->to < of->cut ? skipped->to : of->cut;
        }
    }
    return from;
}

static bool fill_partition(const struct message_commit *commit, const struct close_partition *of,
                           const struct settings *settings, struct arena *arena,
                           struct verify_partition *to, struct err *err)
{
    int64_t from = start_of(commit, of);
    *to = (struct verify_partition){.id = of->id,
                                    .topic_id = topic_id(commit, of->id.topic),
                                    .from = from,
                                    .seen_end = of->seen_end > from ? of->seen_end : from,
                                    .cut = of->cut,
                                    .said = message_commit_partition(commit, of->id)};
    if (to->said == NULL) {
        return err_set(err, ERR_INPUT, "the lineage of run %s has no account of %s/%d",
                       commit->run_id, of->id.topic, (int)of->id.number);
    }
    if (!find_topic(settings, of->id.topic, &to->topic)) {
        return err_set(err, ERR_SETTINGS, "topic \"%s\" of run %s is not in these settings",
                       of->id.topic, commit->run_id);
    }
    fill_steps(commit, of, arena, to);
    return true;
}

bool verify_plan_make(const struct manifest *manifest, const struct settings *settings,
                      struct arena *arena, struct verify_plan *ret_plan, struct err *err)
{
    struct verify_plan plan = {0};
    const char *ledger = NULL;
    if (manifest->lineage.size == 0) {
        return err_set(err, ERR_MISSING, "run %s has no lineage: it was not made by Tidemark",
                       manifest->run_id);
    }
    TRY(message_lineage_decode(manifest->lineage, arena, &plan.commit, &ledger, err));
    TRY(lineage_maker(manifest->lineage, arena, &plan.maker, err));
    const struct message_commit *commit = &plan.commit;
    if (!commit->has_made_of) {
        return err_set(err, ERR_MISSING, "the lineage of run %s does not say what it was made of",
                       manifest->run_id);
    }
    TRY(check_settings(&plan, settings, arena, err));
    size_t count = commit->made_of.partition_count;
    plan.partitions = arena_zero(arena, (count + 1) * sizeof *plan.partitions);
    for (size_t i = 0; i < count; i++) {
        struct verify_partition *to = &plan.partitions[plan.partition_count];
        TRY(fill_partition(commit, &commit->made_of.partitions[i], settings, arena, to, err));
        if (to->from < to->cut) {
            plan.partition_count++;
            plan.records += to->cut - to->from;
        }
    }
    *ret_plan = plan;
    return true;
}
