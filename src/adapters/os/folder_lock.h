/* A folder that one process alone may use: a lock that ends with the process, however that ends. */
#ifndef TIDEMARK_ADAPTERS_OS_FOLDER_LOCK_H
#define TIDEMARK_ADAPTERS_OS_FOLDER_LOCK_H

#include <stdint.h>

#include "core/base/check.h"
#include "core/base/err.h"

struct folder_lock;

/* Takes the lock of `folder`, which must be there, waiting for at most `wait_us` while somebody
 * else has it; blocks for so long. The file `lock` in it stays for ever and says who had it last.
 * CONFLICT: somebody else has it; the message names the process, where it could say so. Others: see
 * file.h. */
bool folder_lock_take(const char *folder, int64_t wait_us, struct folder_lock **ret_lock,
                      struct err *err) MUST_CHECK;

/* Gives it back; NULL is fine. Returns NULL. */
struct folder_lock *folder_lock_give(struct folder_lock *lock);

#endif
