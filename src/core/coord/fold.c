/* The state of the ledger: the newest record of every key. */
#include "core/coord/fold.h"

#include <stdio.h>
#include <stdlib.h>

struct slot {
    struct fold_entry entry;
    struct arena *arena; /* the entry's memory, its own slot included */
    struct slot *next;   /* in the same bucket */
};

struct kind_list {
    struct slot **slots; /* in ledger order */
    size_t count;
    size_t capacity;
};

enum { BUCKETS = 1024, ENTRY_ARENA_BYTES = 1024 };

struct fold {
    struct slot *buckets[BUCKETS];
    struct kind_list kinds[MESSAGE_KINDS];
    size_t count;
    int64_t end;
    int64_t term; /* offset of the newest LEADER; -1: none */
};

struct fold *fold_new(void)
{
    struct fold *fold = calloc(1, sizeof *fold);
    CHECK(fold != NULL);
    fold->term = -1;
    return fold;
}

void fold_clear(struct fold *fold)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct slot *slot = fold->buckets[i]; slot != NULL;) {
            struct slot *next = slot->next;
            arena_free(slot->arena);
            slot = next;
        }
    }
    for (size_t i = 0; i < MESSAGE_KINDS; i++) {
        free(fold->kinds[i].slots);
    }
    *fold = (struct fold){.term = -1};
}

struct fold *fold_free(struct fold *fold)
{
    if (fold != NULL) {
        fold_clear(fold);
        free(fold);
    }
    return NULL;
}

int64_t fold_end(const struct fold *fold)
{
    return fold->end;
}

/* FNV-1a: keys are few and ours. */
static size_t bucket_of(struct bytes key)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < key.size; i++) {
        hash = (hash ^ key.data[i]) * UINT64_C(0x100000001b3);
    }
    return (size_t)(hash % BUCKETS);
}

static struct slot **find_slot(struct fold *fold, struct bytes key)
{
    struct slot **at = &fold->buckets[bucket_of(key)];
    while (*at != NULL && !bytes_equal(bytes_of_text((*at)->entry.key), key)) {
        at = &(*at)->next;
    }
    return at;
}

static void list_add(struct kind_list *list, struct slot *slot)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? 8 : list->capacity * 2;
        list->slots = realloc(list->slots, list->capacity * sizeof(struct slot *));
        CHECK(list->slots != NULL);
    }
    list->slots[list->count++] = slot;
}

static void list_remove(struct kind_list *list, const struct slot *slot)
{
    size_t low = 0;
    size_t high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->slots[middle]->entry.offset < slot->entry.offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    CHECK(low < list->count && list->slots[low] == slot);
    list->count--;
    memmove(&list->slots[low], &list->slots[low + 1], (list->count - low) * sizeof(struct slot *));
}

static void remove_key(struct fold *fold, struct bytes key)
{
    struct slot **at = find_slot(fold, key);
    struct slot *slot = *at;
    if (slot == NULL) {
        return;
    }
    list_remove(&fold->kinds[slot->entry.message.kind], slot);
    *at = slot->next;
    fold->count--;
    arena_free(slot->arena);
}

/* The term a leader's record carries; -1 for all others. */
static int64_t term_of(const struct message *message)
{
    switch (message->kind) {
    case MESSAGE_CLOSE:
        return (int64_t)message->close.term;
    case MESSAGE_PLAN:
        return (int64_t)message->plan.term;
    case MESSAGE_COMMIT:
        return (int64_t)message->commit.term;
    case MESSAGE_PUBLISHED:
        return (int64_t)message->published.term;
    case MESSAGE_ABORTED:
        return (int64_t)message->aborted.term;
    case MESSAGE_HELD:
        return (int64_t)message->hold.term;
    case MESSAGE_GATED:
        return (int64_t)message->gated.term;
    case MESSAGE_CONDEMN:
    case MESSAGE_SPARE:
        return (int64_t)message->condemn.term;
    case MESSAGE_PROGRESS:
    case MESSAGE_LEADER:
    case MESSAGE_READY:
    case MESSAGE_REFUSED:
    case MESSAGE_PART:
    case MESSAGE_HANDOVER:
    case MESSAGE_ATTEMPT:
    case MESSAGE_HOLD:
    case MESSAGE_RESUME:
    case MESSAGE_TRIGGER:
    case MESSAGE_SKIP:
    case MESSAGE_ACCEPT:
    case MESSAGE_KINDS:
        break;
    }
    return -1;
}

bool fold_apply(struct fold *fold, int64_t offset, int64_t timestamp_us, struct bytes key,
                struct bytes value, struct err *err)
{
    if (offset < fold->end) {
        return true; /* seen: the consumer went back */
    }
    fold->end = offset + 1;
    if (value.data == NULL) {
        remove_key(fold, key);
        return true;
    }
    struct arena *arena = arena_new(ENTRY_ARENA_BYTES);
    struct slot *slot = arena_zero(arena, sizeof *slot);
    struct message *message = &slot->entry.message;
    if (!message_decode(key, value, arena, message, err)) {
        arena_free(arena);
        return err_wrap(err, "ledger offset %lld", (long long)offset);
    }
    int64_t term = term_of(message);
    if (term >= 0 && term < fold->term) {
        /* Kafka's fence keeps these out; a second lock on the door. */
        bool refused =
            err_set(err, ERR_INPUT, "ledger offset %lld: %s of term %lld below LEADER %lld",
                    (long long)offset, message_kind_name(message->kind), (long long)term,
                    (long long)fold->term);
        arena_free(arena);
        return refused;
    }
    if (message->kind == MESSAGE_LEADER) {
        fold->term = offset;
    }
    remove_key(fold, key);
    slot->entry.offset = offset;
    slot->entry.timestamp_us = timestamp_us;
    slot->entry.key = arena_text(arena, key);
    slot->arena = arena;
    struct slot **bucket = &fold->buckets[bucket_of(key)];
    slot->next = *bucket;
    *bucket = slot;
    list_add(&fold->kinds[message->kind], slot);
    fold->count++;
    return true;
}

const struct fold_entry *fold_find(const struct fold *fold, const char *key)
{
    struct bytes bytes = bytes_of_text(key);
    struct slot *slot = fold->buckets[bucket_of(bytes)];
    while (slot != NULL && strcmp(slot->entry.key, key) != 0) {
        slot = slot->next;
    }
    return slot == NULL ? NULL : &slot->entry;
}

const struct fold_entry *fold_next(const struct fold *fold, enum message_kind kind, size_t *at)
{
    const struct kind_list *list = &fold->kinds[kind];
    return *at < list->count ? &list->slots[(*at)++]->entry : NULL;
}
