/* What has really happened, over all seeds of one run: a simulator that never meets a case proves
 * nothing about it. */
#include "tests/sim/world.h"

enum { OUTCOMES = 16 };

static struct {
    uint64_t records[MESSAGE_KINDS];
    uint64_t commands[LEADER_COMMAND_KINDS][OUTCOMES];
    uint64_t member_commands[MEMBER_COMMAND_KINDS];
    uint64_t chances[CHANCE_KINDS];
} seen;

static const char *const chance_names[CHANCE_KINDS] = {
    [CHANCE_CRASH] = "crash",
    [CHANCE_ZOMBIE] = "zombie",
    [CHANCE_WRONG_LEADER] = "wrongful leader",
    [CHANCE_REBALANCE] = "rebalance",
    [CHANCE_COMPACTION] = "compaction",
    [CHANCE_LEDGER_LOST] = "ledger lost",
    [CHANCE_LEDGER_END_LOST] = "end of the ledger lost",
    [CHANCE_LATE_PUT] = "late or repeated write of the pointer",
    [CHANCE_RETENTION] = "retention",
    [CHANCE_SETTINGS] = "settings changed, member by member",
    [CHANCE_CLOCK] = "clock set",
    [CHANCE_GROWTH] = "new partition",
    [CHANCE_ROLLBACK] = "rollback",
    [CHANCE_CUTS] = "TRIGGER with cuts",
    [CHANCE_TRANSACTION] = "transaction of a producer",
    [CHANCE_MIRROR] = "group offsets committed",
    [CHANCE_MIRROR_BACK] = "group offsets set back",
    [CHANCE_TOPICS] = "two topics",
    [CHANCE_TOPIC_ADDED] = "new topic",
    [CHANCE_STATE] = "state built on a base",
    [CHANCE_CARRIED] = "shard carried over",
    [CHANCE_ADOPTED] = "handover adopted",
    [CHANCE_FEW_ROWS] = "gate: too few rows",
    [CHANCE_ROW_CHANGE] = "gate: too much change",
    [CHANCE_EMPTY_SHARDS] = "gate: empty shards",
    [CHANCE_CANARY] = "gate: a key is not there",
    [CHANCE_HANGS] = "build that hangs",
    [CHANCE_LIES] = "seal that loses a row and does not say so",
    [CHANCE_BROKEN] = "member whose leader cannot reach the store",
    [CHANCE_PUBLISHED] = "window published",
    [CHANCE_ROWS] = "shards by rows",
    [CHANCE_TOKENS] = "shards by token",
    [CHANCE_TOKEN_IDS] = "shards by number",
    [CHANCE_NEW_NAME] = "member with a new name",
    [CHANCE_RETIRED] = "member retired",
    [CHANCE_BESIDE] = "second attempt beside a slow one",
    [CHANCE_BESIDE_WINS] = "it wins",
    [CHANCE_BESIDE_LOSES] = "both end, and the second loses",
    [CHANCE_STANDBY_BUILDS] = "attempt by a member without rows",
    [CHANCE_ROOM] = "reading paused for want of room",
    [CHANCE_EARLY] = "closed early for want of room",
    [CHANCE_LATE_STAGE] = "late write of a staged manifest",
    [CHANCE_TOPIC_COMES] = "topic added by a change of settings",
    [CHANCE_RESHAPED] = "state divided into another number of shards",
    [CHANCE_AGAIN_FEWER] = "topic made again with fewer records",
    [CHANCE_AGAIN_AS_MANY] = "topic made again with as many records",
    [CHANCE_AGAIN_MORE] = "topic made again with more records",
    [CHANCE_AGAIN_AT_START] = "it is noticed where reading begins",
    [CHANCE_AGAIN_AT_LOOK] = "it is noticed before READY",
    [CHANCE_AGAIN_OF_CLOSE] = "it is noticed before READY, by what the CLOSE names alone",
    [CHANCE_AGAIN_AT_END] = "it is noticed by its end",
    [CHANCE_AGAIN_TOO_SHORT] = "it is noticed by an end below what the head has",
    [CHANCE_LOOK_UNANSWERED] = "a look that nobody answers",
};

/* Outcomes that a command can have in this world, and must have had. */
static const struct {
    enum leader_command_kind kind;
    enum err_kind outcome;
    const char *name;
} wanted[] = {
    {LEADER_INIT_TRANSACTIONS, ERR_NONE, "done"},
    {LEADER_INIT_TRANSACTIONS, ERR_TRANSIENT, "fails"},
    {LEADER_APPEND, ERR_NONE, "done"},
    {LEADER_APPEND, ERR_TRANSIENT, "fails"},
    {LEADER_APPEND, ERR_AMBIGUOUS, "nobody knows"},
    {LEADER_APPEND, ERR_FENCED, "fenced"},
    {LEADER_QUERY_ENDS, ERR_NONE, "done"},
    {LEADER_QUERY_ENDS, ERR_TRANSIENT, "fails"},
    {LEADER_GET_POINTER, ERR_NONE, "done"},
    {LEADER_GET_POINTER, ERR_TRANSIENT, "fails"},
    {LEADER_STAGE_MANIFEST, ERR_NONE, "done"},
    {LEADER_STAGE_MANIFEST, ERR_TRANSIENT, "fails"},
    {LEADER_PUT_MANIFEST, ERR_NONE, "done"},
    {LEADER_PUT_MANIFEST, ERR_TRANSIENT, "fails"},
    {LEADER_SWAP_POINTER, ERR_NONE, "done"},
    {LEADER_SWAP_POINTER, ERR_TRANSIENT, "fails"},
    {LEADER_SWAP_POINTER, ERR_AMBIGUOUS, "nobody knows"},
    {LEADER_SWAP_POINTER, ERR_CONFLICT, "somebody was faster"},
    {LEADER_DELETE_RUN, ERR_NONE, "done"},
    {LEADER_DELETE_RUN, ERR_TRANSIENT, "fails"},
    {LEADER_DELETE_OBJECTS, ERR_NONE, "done"},
    {LEADER_DELETE_OBJECTS, ERR_TRANSIENT, "fails"},
    {LEADER_LIST_OLD_RUNS, ERR_NONE, "done"},
    {LEADER_LIST_OLD_RUNS, ERR_TRANSIENT, "fails"},
    {LEADER_LIST_LEFTOVERS, ERR_NONE, "done"},
    {LEADER_LIST_LEFTOVERS, ERR_TRANSIENT, "fails"},
};

static const char *const leader_names[LEADER_COMMAND_KINDS] = {
    [LEADER_INIT_TRANSACTIONS] = "init transactions",
    [LEADER_APPEND] = "append",
    [LEADER_QUERY_ENDS] = "query ends",
    [LEADER_GET_POINTER] = "get pointer",
    [LEADER_STAGE_MANIFEST] = "stage manifest",
    [LEADER_PUT_MANIFEST] = "put manifest",
    [LEADER_SWAP_POINTER] = "swap pointer",
    [LEADER_DELETE_RUN] = "delete run",
    [LEADER_DELETE_OBJECTS] = "delete objects",
    [LEADER_LIST_OLD_RUNS] = "list old runs",
    [LEADER_LIST_LEFTOVERS] = "list leftovers",
};

static const char *const member_names[MEMBER_COMMAND_KINDS] = {
    [MEMBER_START_PARTITION] = "start partition",
    [MEMBER_STOP_PARTITION] = "stop partition",
    [MEMBER_APPEND] = "append",
    [MEMBER_SEAL] = "seal",
    [MEMBER_STORE_PART] = "store part",
    [MEMBER_BUILD] = "build",
    [MEMBER_DROP_BUILD] = "drop build",
    [MEMBER_FORGET] = "forget",
    [MEMBER_PAUSE] = "pause",
    [MEMBER_UNPAUSE] = "unpause",
    [MEMBER_MIRROR_OFFSETS] = "mirror offsets",
    [MEMBER_ALERT] = "alert",
};

void coverage_record(enum message_kind kind)
{
    seen.records[kind]++;
}

void coverage_command(enum leader_command_kind kind, enum err_kind outcome)
{
    CHECK((size_t)outcome < OUTCOMES);
    seen.commands[kind][outcome]++;
}

void coverage_member_command(enum member_command_kind kind)
{
    seen.member_commands[kind]++;
}

void coverage_chance(enum sim_chance kind)
{
    seen.chances[kind]++;
}

uint64_t coverage_count(enum sim_chance kind)
{
    return seen.chances[kind];
}

static size_t line(const char *what, const char *name, const char *outcome, uint64_t count)
{
    printf("%-10s %s%s%s: %llu\n", what, name, outcome[0] == '\0' ? "" : ", ", outcome,
           (unsigned long long)count);
    return count == 0;
}

/* How many cases never occurred. */
size_t coverage_print(void)
{
    size_t missing = 0;
    for (unsigned i = 0; i < MESSAGE_KINDS; i++) {
        missing += line("record", message_kind_name((enum message_kind)i), "", seen.records[i]);
    }
    for (size_t i = 0; i < LENGTH_OF(wanted); i++) {
        missing += line("leader", leader_names[wanted[i].kind], wanted[i].name,
                        seen.commands[wanted[i].kind][wanted[i].outcome]);
    }
    for (unsigned i = 0; i < MEMBER_COMMAND_KINDS; i++) {
        if (member_names[i] != NULL) {
            missing += line("member", member_names[i], "", seen.member_commands[i]);
        }
    }
    for (unsigned i = 0; i < CHANCE_KINDS; i++) {
        missing += line("world", chance_names[i], "", seen.chances[i]);
    }
    printf("%zu cases never occurred\n", missing);
    return missing;
}

void coverage_summary(void)
{
    static const enum sim_chance told[] = {
        CHANCE_PUBLISHED,  CHANCE_CRASH,     CHANCE_ZOMBIE,      CHANCE_WRONG_LEADER,
        CHANCE_REBALANCE,  CHANCE_LATE_PUT,  CHANCE_LEDGER_LOST, CHANCE_LEDGER_END_LOST,
        CHANCE_COMPACTION, CHANCE_RETENTION, CHANCE_SETTINGS,    CHANCE_CLOCK,
        CHANCE_GROWTH,     CHANCE_ROLLBACK,  CHANCE_TRANSACTION};
    for (size_t i = 0; i < LENGTH_OF(told); i++) {
        printf("  %s: %llu\n", chance_names[told[i]], (unsigned long long)seen.chances[told[i]]);
    }
}
