/* Which librdkafka was loaded, and whether it is one that can be used. */
#include <librdkafka/rdkafka.h>
#include <stdio.h>

#include "adapters/cluster.h"
#include "core/base/err.h"

const char *cluster_client_version(void)
{
    static _Thread_local char text[64];
    snprintf(text, sizeof(text), "librdkafka %s (built for %u.%u.%u)", rd_kafka_version_str(),
             (unsigned)RD_KAFKA_VERSION >> 24, ((unsigned)RD_KAFKA_VERSION >> 16) & 0xff,
             ((unsigned)RD_KAFKA_VERSION >> 8) & 0xff);
    return text;
}

bool cluster_check_version(struct err *err)
{
    int version = rd_kafka_version();
    if (version < 0x020002ff) {
        return err_set(err, ERR_SETTINGS, "librdkafka %s is too old: 2.0.2 or newer is needed",
                       rd_kafka_version_str());
    }
    if (version >= 0x020500ff && version < 0x020503ff) {
        return err_set(err, ERR_SETTINGS,
                       "librdkafka %s ends the process in its telemetry: use 2.5.3 or newer",
                       rd_kafka_version_str());
    }
    if (version >= 0x020a0000 && version <= 0x020a00ff) {
        return err_set(err, ERR_SETTINGS,
                       "librdkafka %s reconnects for ever (its issue 5088): use 2.10.1 or newer",
                       rd_kafka_version_str());
    }
    return true;
}
