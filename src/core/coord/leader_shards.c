/* How many shards a build has, and who builds each. */
#include "core/coord/leader_shards.h"

#include <stdio.h>
#include <stdlib.h>

/* In decimal, without leading zeroes, of any size. */
static int compare_integers(const char *a, const char *b)
{
    bool negative = a[0] == '-';
    if (negative != (b[0] == '-')) {
        return negative ? -1 : 1;
    }
    size_t left = strlen(a);
    size_t right = strlen(b);
    int order = left != right ? (left > right) - (left < right) : strcmp(a, b);
    return negative ? -order : order;
}

int shards_compare_tokens(const char *a, const char *b)
{
    if (a[0] != b[0]) {
        return a[0] < b[0] ? -1 : 1; /* 'i' before 's'; they do not mix in one build */
    }
    if (a[0] == 'i') {
        return compare_integers(a + 2, b + 2);
    }
    return strcmp(a + 2, b + 2); /* UTF-8 bytes sort as code points do */
}

static int compare_token_pointers(const void *a, const void *b)
{
    return shards_compare_tokens(*(const char *const *)a, *(const char *const *)b);
}

/* The distinct tokens of all contributions, sorted. */
static const char **distinct_tokens(struct leader *leader,
                                    const struct message_ready *const *readies, size_t ready_count,
                                    size_t *out_count)
{
    size_t most = 0;
    for (size_t i = 0; i < ready_count; i++) {
        most += readies[i]->token_count;
    }
    const char **tokens = arena_zero(leader->out->arena, (most + 1) * sizeof(char *));
    size_t count = 0;
    for (size_t i = 0; i < ready_count; i++) {
        for (size_t j = 0; j < readies[i]->token_count; j++) {
            if (readies[i]->tokens[j].rows > 0) {
                tokens[count++] = readies[i]->tokens[j].token;
            }
        }
    }
    qsort(tokens, count, sizeof(char *), compare_token_pointers);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || shards_compare_tokens(tokens[kept - 1], tokens[i]) != 0) {
            tokens[kept++] = tokens[i];
        }
    }
    *out_count = kept;
    return tokens;
}

/* Direct routing: the tokens must be exactly 0 to n - 1. */
static bool check_direct(struct leader *leader, const char **tokens, size_t count,
                         const char **out_why)
{
    for (size_t i = 0; i < count; i++) {
        if (tokens[i][0] != 'i' || tokens[i][2] == '-') {
            *out_why = leader_text(leader, "the expression gives \"%s\", which is no shard number",
                                   tokens[i] + 2);
            return false;
        }
        if (strtoll(tokens[i] + 2, NULL, 10) != (long long)i) {
            *out_why = leader_text(leader,
                                   "shard numbers must be 0 to n - 1 without a gap: there are rows "
                                   "for shard %s, and none for shard %zu",
                                   tokens[i] + 2, i);
            return false;
        }
    }
    return true;
}

static bool count_shards(struct leader *leader, const struct message_close *close,
                         const struct leader_share *shares,
                         const struct message_ready *const *readies, size_t ready_count,
                         struct message_plan *plan, const char **out_why)
{
    const struct coord_settings *settings = leader->settings;
    uint64_t count = settings->shards;
    if (settings->shard_policy == SHARDS_BY_ROWS) {
        uint64_t rows = 0;
        for (size_t i = 0; i < close->partition_count; i++) {
            rows += shares[i].partition == NULL ? 0 : shares[i].partition->rows;
        }
        uint64_t most = settings->max_keys_per_shard == 0 ? 1 : settings->max_keys_per_shard;
        count = rows / most + (rows % most != 0);
    } else if (settings->shard_policy != SHARDS_FIXED) {
        size_t tokens = 0;
        const char **values = distinct_tokens(leader, readies, ready_count, &tokens);
        count = tokens;
        if (settings->shard_policy == SHARDS_BY_TOKEN) {
            plan->routing_values = values;
            plan->routing_value_count = tokens;
        } else if (!check_direct(leader, values, tokens, out_why)) {
            return false;
        }
    }
    if (count > SHARDS_MAX) {
        *out_why = leader_text(leader, "%llu shards, at most %d are possible",
                               (unsigned long long)count, SHARDS_MAX);
        return false;
    }
    plan->shard_count = count == 0 ? 1 : (size_t)count;
    return true;
}

/* The shard of a token, or -1. */
static int64_t shard_of_token(const struct leader *leader, const struct message_plan *plan,
                              const char *token)
{
    if (leader->settings->shard_policy == SHARDS_BY_TOKEN_ID) {
        return strtoll(token + 2, NULL, 10);
    }
    size_t low = 0;
    size_t high = plan->routing_value_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = shards_compare_tokens(plan->routing_values[middle], token);
        if (order == 0) {
            return (int64_t)middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return -1;
}

/* What one contribution holds of each shard, in bytes + 1 for a row without bytes. */
static void add_sizes(const struct leader *leader, const struct message_ready *ready,
                      const struct message_plan *plan, uint64_t *bytes)
{
    for (size_t i = 0; i < ready->shard_count; i++) {
        const struct shard_size *size = &ready->shards[i];
        if (size->shard < plan->shard_count && size->rows > 0) {
            bytes[size->shard] += size->bytes + 1;
        }
    }
    for (size_t i = 0; i < ready->token_count; i++) {
        int64_t shard = shard_of_token(leader, plan, ready->tokens[i].token);
        if (shard >= 0 && shard < (int64_t)plan->shard_count && ready->tokens[i].rows > 0) {
            bytes[shard] += ready->tokens[i].bytes + 1;
        }
    }
}

static size_t find_readies(struct leader *leader, const struct message_close *close,
                           const struct leader_share *shares, const struct message_ready ***out)
{
    const struct message_ready **readies =
        arena_zero(leader->out->arena, (close->partition_count + 1) * sizeof *readies);
    size_t count = 0;
    for (size_t i = 0; i < close->partition_count; i++) {
        bool seen = shares[i].ready == NULL;
        for (size_t j = 0; j < count && !seen; j++) {
            seen = readies[j] == shares[i].ready;
        }
        if (!seen) {
            readies[count++] = shares[i].ready;
        }
    }
    *out = readies;
    return count;
}

/* Index of a member in the plan's list of builders; it is added when it is new. */
static int32_t builder_index(const char **members, size_t *count, const char *member)
{
    for (size_t i = 0; i < *count; i++) {
        if (strcmp(members[i], member) == 0) {
            return (int32_t)i;
        }
    }
    CHECK(*count < MEMBERS_MAX); /* shards_assign has looked */
    members[(*count)++] = member;
    return (int32_t)*count - 1;
}

static int compare_members(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_builder(const char *const *members, size_t count, const char *member)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(members[i], member) == 0) {
            return true;
        }
    }
    return false;
}

/* Members that live, have the build's settings, and hold no rows of it. */
static void add_standbys(const struct leader *leader, const char *fingerprint, const char **members,
                         size_t *count)
{
    struct leader_builder list[MEMBERS_MAX];
    size_t living = leader_builders(leader, fingerprint, list);
    for (size_t i = 0; i < living && *count < MEMBERS_MAX; i++) {
        if (!is_builder(members, *count, list[i].name)) {
            members[(*count)++] = list[i].name;
        }
    }
}

/* Who makes the shards of a state: whoever delivers rows, and, where there is a base, the standbys,
 * too: a merge costs the size of the state, and the rows that must travel are only the new ones.
 */
static size_t find_builders(const struct leader *leader, const struct message_close *close,
                            const struct message_ready *const *readies, size_t ready_count,
                            bool has_base, const char **members)
{
    size_t count = 0;
    for (size_t i = 0; i < ready_count; i++) {
        (void)builder_index(members, &count, readies[i]->member);
    }
    if (has_base || count == 0) {
        add_standbys(leader, close->fingerprint, members, &count);
    }
    qsort(members, count, sizeof(char *), compare_members);
    return count;
}

/* A state: every shard goes to the same member as the last time while the members are the same. It
 * has the last file, and what a merge costs is the size of the state, not that of the new rows. A
 * shard without new rows is copied; one that never had any stays out. */
static bool assign_state(struct leader *leader, const struct message_close *close,
                         const struct message_ready *const *readies, size_t ready_count,
                         struct message_plan *plan, const char **out_why)
{
    struct arena *arena = leader->out->arena;
    const char **members = arena_zero(arena, MEMBERS_MAX * sizeof(char *));
    struct plan_shard *shards = arena_zero(arena, plan->shard_count * sizeof *shards);
    uint64_t *bytes = arena_zero(arena, plan->shard_count * sizeof *bytes);
    uint32_t *carried = arena_zero(arena, plan->shard_count * sizeof *carried);
    bool sizes_known = leader->settings->shard_policy != SHARDS_BY_ROWS;
    leader_base(leader, plan);
    plan->member_count =
        find_builders(leader, close, readies, ready_count, plan->has_base, members);
    if (plan->member_count == 0) {
        *out_why = "no member is there";
        return false;
    }
    for (size_t i = 0; i < ready_count; i++) {
        add_sizes(leader, readies[i], plan, bytes);
    }
    for (size_t s = 0; s < plan->shard_count; s++) {
        bool has_rows = bytes[s] > 0 || !sizes_known;
        shards[s] = (struct plan_shard){.builder = -1};
        if (has_rows || plan->has_base) {
            shards[s] =
                (struct plan_shard){.builder = (int32_t)(s % plan->member_count), .attempt = 1};
        }
        if (!has_rows && plan->has_base && !plan->base.whole) {
            carried[plan->carried_count++] = (uint32_t)s;
        }
    }
    plan->members = members;
    plan->shards = shards;
    plan->carried = carried;
    return true;
}

/* A window, while it is given out. Bytes are what READYs say, and 1 for each member where sizes by
 * shard are not known: the count came at the close, and everybody may hold some. */
struct assignment {
    const struct message_plan *plan;
    struct plan_shard *shards;
    uint64_t *most;  /* by shard: what the member with most of it holds */
    uint64_t *total; /* by shard */
    uint64_t *given; /* by member: bytes of the shards it shall make */
};

static void sizes_of(const struct leader *leader, const struct message_ready *ready,
                     const struct message_plan *plan, uint64_t *bytes)
{
    bool by_rows = leader->settings->shard_policy == SHARDS_BY_ROWS;
    for (size_t s = 0; s < plan->shard_count; s++) {
        bytes[s] = by_rows ? 1 : 0;
    }
    if (!by_rows) {
        add_sizes(leader, ready, plan, bytes);
    }
}

/* Hands a shard to `builder`. */
static void hand(struct assignment *to, size_t shard, int32_t builder)
{
    struct plan_shard *planned = &to->shards[shard];
    if (planned->builder >= 0) {
        to->given[planned->builder] -= to->total[shard];
    }
    *planned = (struct plan_shard){.builder = builder, .attempt = 1};
    to->given[builder] += to->total[shard];
}

/* It would still have no more to do than the shard's builder has now. */
static bool has_less(const struct assignment *to, size_t shard, int32_t builder)
{
    int32_t now = to->shards[shard].builder;
    return to->given[builder] + to->total[shard] <= to->given[now];
}

/* To the member with most of its bytes; of those that hold as much, the one with less to do. */
static void assign_to_holders(const struct leader *leader,
                              const struct message_ready *const *readies, size_t ready_count,
                              const int32_t *builders, struct assignment *to, uint64_t *bytes)
{
    const struct message_plan *plan = to->plan;
    for (size_t i = 0; i < ready_count; i++) {
        sizes_of(leader, readies[i], plan, bytes);
        for (size_t s = 0; s < plan->shard_count; s++) {
            to->total[s] += bytes[s];
            to->most[s] = bytes[s] > to->most[s] ? bytes[s] : to->most[s];
        }
    }
    for (size_t i = 0; i < ready_count; i++) {
        sizes_of(leader, readies[i], plan, bytes);
        for (size_t s = 0; s < plan->shard_count; s++) {
            if (bytes[s] > 0 && bytes[s] == to->most[s] &&
                (to->shards[s].builder < 0 || has_less(to, s, builders[i]))) {
                hand(to, s, builders[i]);
            }
        }
    }
}

/* Where no member has half of a shard, most of its bytes travel in any case: then members without
 * rows take a share, too. */
static void assign_to_standbys(struct assignment *to, size_t holder_count, size_t member_count)
{
    for (size_t s = 0; s < to->plan->shard_count; s++) {
        size_t least = holder_count;
        for (size_t i = holder_count; i < member_count; i++) {
            least = to->given[i] < to->given[least] ? i : least;
        }
        if (least < member_count && to->shards[s].builder >= 0 &&
            to->most[s] < to->total[s] - to->most[s] && has_less(to, s, (int32_t)least)) {
            hand(to, s, (int32_t)least);
        }
    }
}

bool shards_assign(struct leader *leader, const struct message_close *close,
                   const struct leader_share *shares, struct message_plan *plan,
                   const char **out_why)
{
    struct arena *arena = leader->out->arena;
    const struct message_ready **readies = NULL;
    size_t ready_count = find_readies(leader, close, shares, &readies);
    TRY(count_shards(leader, close, shares, readies, ready_count, plan, out_why));
    if (ready_count > MEMBERS_MAX) {
        *out_why = leader_text(leader, "%zu members deliver rows, at most %d are possible",
                               ready_count, MEMBERS_MAX);
        return false;
    }
    if (close->contents == CONTENTS_STATE) {
        return assign_state(leader, close, readies, ready_count, plan, out_why);
    }
    const char **members = arena_zero(arena, MEMBERS_MAX * sizeof(char *));
    int32_t *builders = arena_zero(arena, (ready_count + 1) * sizeof *builders);
    for (size_t i = 0; i < ready_count; i++) {
        builders[i] = builder_index(members, &plan->member_count, readies[i]->member);
    }
    struct assignment to = {
        .plan = plan,
        .shards = arena_zero(arena, plan->shard_count * sizeof *to.shards),
        .most = arena_zero(arena, plan->shard_count * sizeof *to.most),
        .total = arena_zero(arena, plan->shard_count * sizeof *to.total),
        .given = arena_zero(arena, MEMBERS_MAX * sizeof *to.given),
    };
    for (size_t s = 0; s < plan->shard_count; s++) {
        to.shards[s].builder = -1;
    }
    uint64_t *bytes = arena_zero(arena, plan->shard_count * sizeof *bytes);
    assign_to_holders(leader, readies, ready_count, builders, &to, bytes);
    size_t holder_count = plan->member_count;
    add_standbys(leader, close->fingerprint, members, &plan->member_count);
    assign_to_standbys(&to, holder_count, plan->member_count);
    while (plan->member_count > holder_count && to.given[plan->member_count - 1] == 0) {
        plan->member_count--;
    }
    plan->members = members;
    plan->shards = to.shards;
    return true;
}
