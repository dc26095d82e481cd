/* How many files this process may have open. */
#ifndef TIDEMARK_ADAPTERS_OS_OPEN_FILES_H
#define TIDEMARK_ADAPTERS_OS_OPEN_FILES_H

#include <stdint.h>

/* Raises the bound as far as this user may: each spill that is held is an open file, and a window
 * of a day has more of them than the 1024 that a shell allows. Returns the bound that there is now;
 * UINT64_MAX: none. Once, before there are other threads. Never fails: what cannot be raised stays.
 */
uint64_t open_files_raise(void);

#endif
