/* The leader's terms: how one begins (R18), ends (R19, R22), and who may not lead (R26). */
#include "core/coord/leader_state.h"

static void forget_term(struct leader *leader)
{
    leader->nonce[0] = '\0';
    leader->term = -1;
    leader->purpose = FOR_NOTHING;
    leader->await_offset = -1;
    leader->retry_us = 0;
    leader->pointer.known = false;
    leader->ends.known = false;
    leader->compared = false;
    leader->manifests_put = 0;
    leader->manifests_of[0] = '\0';
    leader->tick_seen_us = 0;
    leader->build_retry_us = 0;
    leader->aborts = 0;
    leader->staged = false;
    leader->delete_retry_us = 0;
    leader->old_runs_of[0] = '\0';
    leader->old_runs_retry_us = 0;
    leader->sweep_due_us = 0;
    leader->strays_of[0] = '\0';
    leader->alerted[0] = '\0';
}

static void begin_term(struct leader *leader)
{
    forget_term(leader);
    leader->phase = LEADER_INIT;
    leader_does(leader, "waits for the end of the transactions of the leader before");
    leader_trace(leader, "init_transactions");
    leader_ask(leader, LEADER_INIT_TRANSACTIONS, FOR_TRANSACTIONS);
}

void leader_elected(struct leader *leader)
{
    leader->elected = true;
    if (leader->phase == LEADER_OFF) {
        begin_term(leader);
    }
}

void leader_unelected(struct leader *leader)
{
    leader->elected = false;
    forget_term(leader);
    leader->phase = LEADER_OFF;
    leader_does(leader, "does not lead");
    leader_trace(leader, "unelected");
}

/* R22: one that is fenced and still assigned must try again, or nobody leads; after a random wait,
 * or two of them fence each other for ever. */
void leader_end_term(struct leader *leader, const char *why)
{
    leader_trace(leader, "term %lld ends: %s", (long long)leader->term, why);
    uint32_t failures = leader->failures < 31 ? leader->failures + 1 : leader->failures;
    forget_term(leader);
    leader->failures = failures;
    if (leader->elected && !RULE_OFF(22)) {
        leader->phase = LEADER_RESTING;
        leader->rest_until_us =
            leader->now_us + coord_backoff(leader->settings, failures, &leader->rng);
    } else {
        leader->phase = LEADER_OFF;
    }
    leader_does(leader, "rests before a new term");
}

void leader_step_down(struct leader *leader, const char *why)
{
    leader_alert(leader, "leaves the leadership for a while: %s", why);
    leader_command(leader, LEADER_STEP_DOWN)->step_down.rest_us = leader->settings->retry_max_us;
    leader_end_term(leader, why);
    leader->failures = 0;
    leader->rest_until_us = leader->now_us + leader->settings->retry_max_us;
}

static void send_leader(struct leader *leader)
{
    rng_hex(&leader->rng, leader->nonce, NONCE_DIGITS);
    struct message message = {.kind = MESSAGE_LEADER,
                              .leader = {.member = leader->member, .nonce = leader->nonce}};
    leader->leader_sent_us = leader->now_us;
    leader_does(leader, "reads the ledger up to its own LEADER");
    leader_append(leader, FOR_LEADER, &message, 1, NULL, 0);
}

/* Our clock, when LEADER was under way, against the broker's stamp on it. */
static bool clock_is_good(struct leader *leader, int64_t stamp_us)
{
    int64_t ahead = 0;
    if (stamp_us < leader->leader_sent_us) {
        ahead = leader->leader_sent_us - stamp_us;
    } else if (stamp_us > leader->now_us) {
        ahead = stamp_us - leader->now_us;
    }
    leader->broker_ahead_us = stamp_us < leader->leader_sent_us ? -ahead : ahead;
    return ahead <= leader->settings->max_clock_skew_us || RULE_OFF(26);
}

static bool own_leader(const struct leader *leader, const struct fold_entry *entry)
{
    return entry != NULL && leader->nonce[0] != '\0' &&
           strcmp(entry->message.leader.nonce, leader->nonce) == 0;
}

bool leader_still_leads(const struct leader *leader)
{
    return own_leader(leader, fold_leader(leader->fold)) || RULE_OFF(180);
}

void leader_advance_term(struct leader *leader)
{
    if (leader->phase == LEADER_RESTING && leader->now_us >= leader->rest_until_us) {
        begin_term(leader);
        return;
    }
    if (leader->phase != LEADER_INIT || leader->purpose != FOR_NOTHING) {
        return;
    }
    if (leader->nonce[0] == '\0') {
        send_leader(leader);
        return;
    }
    const struct fold_entry *entry = fold_leader(leader->fold);
    if (RULE_OFF(180) && leader->await_offset >= 0) {
        leader->term = leader->await_offset; /* planted: decides before it has read what is below */
        leader->phase = LEADER_ACTIVE;
        leader->await_offset = -1;
    } else if (own_leader(leader, entry)) {
        leader->term = entry->offset;
        leader->term_began_us = leader->now_us;
        if (!clock_is_good(leader, entry->timestamp_us)) {
            leader_step_down(leader, "its clock is too far from the broker's");
            return;
        }
        leader->phase = LEADER_ACTIVE;
        leader->await_offset = -1;
        leader_trace(leader, "term %lld", (long long)leader->term);
    } else if (leader->await_offset >= 0 && fold_end(leader->fold) > leader->await_offset) {
        leader_end_term(leader, "another LEADER is on record above ours");
    }
}
