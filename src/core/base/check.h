/* CHECK: an assertion that stays on in release builds. A failed CHECK is a bug, never an input
 * error. */
#ifndef TIDEMARK_CORE_BASE_CHECK_H
#define TIDEMARK_CORE_BASE_CHECK_H

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_index, first_arg)                                                       \
    __attribute__((format(printf, format_index, first_arg)))
#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Ends the process with a message on standard error. */
_Noreturn void check_failed(const char *condition, const char *file, int line);

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (__builtin_expect(!(condition), 0)) {                                                   \
            check_failed(#condition, __FILE__, __LINE__);                                          \
        }                                                                                          \
    } while (0)

/* Ownership helpers. `AUTO(buf) struct buf b;` calls buf_auto(&b) at the end of the scope; a module
 * offers x_auto() where that makes sense. `TAKE(p)` hands a pointer on and forgets it. */
#define AUTO(name) __attribute__((cleanup(name##_auto)))
#define TAKE(pointer)                                                                              \
    __extension__({                                                                                \
        __typeof__(pointer) taken_ = (pointer);                                                    \
        (pointer) = NULL;                                                                          \
        taken_;                                                                                    \
    })

#endif
