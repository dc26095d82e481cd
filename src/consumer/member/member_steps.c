/* The steps of a build that a member puts on record, for tests that end the process there. */
#include "consumer/member/member_steps.h"

#include <string.h>

#include "adapters/os/crash_point.h"
#include "core/base/check.h"

void member_steps_pass(const struct ledger_record *records, size_t count)
{
    static const struct {
        const char *key;
        const char *step;
    } steps[] = {{"ready/", "ready"}, {"part/", "part-told"}, {"attempt/", "attempt-told"}};
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < LENGTH_OF(steps); k++) {
            size_t size = strlen(steps[k].key);
            if (records[i].key.size > size &&
                memcmp(records[i].key.data, steps[k].key, size) == 0) {
                crash_point(steps[k].step);
            }
        }
    }
}
