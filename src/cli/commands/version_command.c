/* `tidemark version`: which tidemark, with which libraries. */
#include "adapters/cluster.h"
#include "adapters/s3/http_version.h"
#include "adapters/sqlite/sqlite_kv.h"
#include "cli/commands/commands.h"

static enum exit_code run(struct command_call *call)
{
    output_print(&call->output, "tidemark %s\nSQLite %s\n%s\nlibcurl %s\n", TIDEMARK_VERSION,
                 sqlite_kv_version(), cluster_client_version(), http_version());
    AUTO(json) cJSON *root = json_new_object();
    json_put_text(root, "tidemark", TIDEMARK_VERSION);
    json_put_text(root, "sqlite", sqlite_kv_version());
    json_put_text(root, "kafka_client", cluster_client_version());
    json_put_text(root, "http_client", http_version());
    output_json(&call->output, root);
    return EXIT_CODE_OK;
}

static const struct command_option options[] = {
    COMMAND_OPTION_JSON,
    COMMAND_OPTIONS_END,
};

const struct command version_command = {
    .name = "version",
    .summary = "Print the versions of tidemark and its libraries",
    .options = options,
    .help = "The version of SQLite is in the header of every manifest, and those of the libraries "
            "that were loaded matter for faults that are known: say them in a report.",
    .run = run,
};
