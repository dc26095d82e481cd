/* Which of two attempts at a shard the manifest names (snapshot format, section 10). */
#include "core/snapshot/winner.h"

#include <string.h>

int winner_compare(const struct attempt *a, const struct attempt *b)
{
    if (a->attempt != b->attempt) {
        return a->attempt < b->attempt ? -1 : 1;
    }
    if (a->task_attempt_id != b->task_attempt_id) {
        return a->task_attempt_id < b->task_attempt_id ? -1 : 1;
    }
    return strcmp(a->db_url == NULL ? "" : a->db_url, b->db_url == NULL ? "" : b->db_url);
}
