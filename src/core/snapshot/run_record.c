/* run.yaml: what a build says about itself to clean-up and to people (snapshot format, section 11).
 */
#include "core/snapshot/run_record.h"

#include "core/base/utc.h"
#include "core/snapshot/run_yaml.h"

static const char *const status_names[] = {
    [RUN_RUNNING] = "running",
    [RUN_SUCCEEDED] = "succeeded",
    [RUN_FAILED] = "failed",
};

const char *run_status_name(enum run_status status)
{
    CHECK((size_t)status < LENGTH_OF(status_names));
    return status_names[status];
}

void run_record_touch(struct run_record *record, enum run_status status, int64_t now_us)
{
    record->status = status;
    record->updated_at_us = now_us;
    record->lease_expires_at_us = status == RUN_RUNNING ? now_us + RUN_RECORD_LEASE_US : now_us;
}

/* The members in the order of the file. */
enum member {
    DB_PATH_TEMPLATE,
    ERROR_MESSAGE,
    ERROR_TYPE,
    FORMAT_VERSION,
    LEASE_EXPIRES_AT,
    MANIFEST_REF,
    RUN_ID,
    S3_PREFIX,
    SHARD_PREFIX,
    STARTED_AT,
    STATUS,
    UPDATED_AT,
    WRITER_TYPE,
    MEMBERS,
};

static const struct run_yaml_member members[MEMBERS] = {
    [DB_PATH_TEMPLATE] = {"db_path_template", RUN_YAML_TEXT},
    [ERROR_MESSAGE] = {"error_message", RUN_YAML_TEXT_OR_NULL},
    [ERROR_TYPE] = {"error_type", RUN_YAML_TEXT_OR_NULL},
    [FORMAT_VERSION] = {"format_version", RUN_YAML_PLAIN},
    [LEASE_EXPIRES_AT] = {"lease_expires_at", RUN_YAML_QUOTED},
    [MANIFEST_REF] = {"manifest_ref", RUN_YAML_TEXT_OR_NULL},
    [RUN_ID] = {"run_id", RUN_YAML_TEXT},
    [S3_PREFIX] = {"s3_prefix", RUN_YAML_TEXT},
    [SHARD_PREFIX] = {"shard_prefix", RUN_YAML_TEXT},
    [STARTED_AT] = {"started_at", RUN_YAML_QUOTED},
    [STATUS] = {"status", RUN_YAML_TEXT},
    [UPDATED_AT] = {"updated_at", RUN_YAML_QUOTED},
    [WRITER_TYPE] = {"writer_type", RUN_YAML_TEXT},
};

bool run_record_encode(const struct run_record *record, struct buf *out, struct err *err)
{
    char lease[UTC_TEXT_SIZE];
    char started[UTC_TEXT_SIZE];
    char updated[UTC_TEXT_SIZE];
    utc_format_json(record->lease_expires_at_us, lease);
    utc_format_json(record->started_at_us, started);
    utc_format_json(record->updated_at_us, updated);
    const char *texts[MEMBERS] = {
        [DB_PATH_TEMPLATE] = record->db_path_template,
        [ERROR_MESSAGE] = record->error_message,
        [ERROR_TYPE] = record->error_type,
        [FORMAT_VERSION] = "1",
        [LEASE_EXPIRES_AT] = lease,
        [MANIFEST_REF] = record->manifest_ref,
        [RUN_ID] = record->run_id,
        [S3_PREFIX] = record->s3_prefix,
        [SHARD_PREFIX] = record->shard_prefix,
        [STARTED_AT] = started,
        [STATUS] = run_status_name(record->status),
        [UPDATED_AT] = updated,
        [WRITER_TYPE] = record->writer_type,
    };
    return run_yaml_print(members, texts, MEMBERS, out, err);
}

static bool parse_status(const char *text, enum run_status *ret_status, struct err *err)
{
    for (size_t i = 0; i < LENGTH_OF(status_names); i++) {
        if (strcmp(text, status_names[i]) == 0) {
            *ret_status = (enum run_status)i;
            return true;
        }
    }
    return err_set(err, ERR_INPUT, "status: \"%.40s\" is not known", text);
}

static bool parse_time(const char *const *texts, enum member member, int64_t *ret_time_us,
                       struct err *err)
{
    return utc_parse(bytes_of_text(texts[member]), ret_time_us, err) ||
           err_wrap(err, "%s", members[member].name);
}

bool run_record_decode(struct bytes text, struct arena *arena, struct run_record *ret_record,
                       struct err *err)
{
    if (text.size > RUN_RECORD_BYTES_MAX) {
        return err_set(err, ERR_INPUT, "%zu bytes are too many for a run record", text.size);
    }
    const char *texts[MEMBERS] = {0};
    TRY(run_yaml_parse(text, members, MEMBERS, arena, texts, err));
    if (strcmp(texts[FORMAT_VERSION], "1") != 0) {
        return err_set(err, ERR_INPUT, "format_version: %.40s, only 1 is known",
                       texts[FORMAT_VERSION]);
    }
    struct run_record record = {
        .db_path_template = texts[DB_PATH_TEMPLATE],
        .error_message = texts[ERROR_MESSAGE],
        .error_type = texts[ERROR_TYPE],
        .manifest_ref = texts[MANIFEST_REF],
        .run_id = texts[RUN_ID],
        .s3_prefix = texts[S3_PREFIX],
        .shard_prefix = texts[SHARD_PREFIX],
        .writer_type = texts[WRITER_TYPE],
    };
    TRY(parse_status(texts[STATUS], &record.status, err));
    TRY(parse_time(texts, LEASE_EXPIRES_AT, &record.lease_expires_at_us, err));
    TRY(parse_time(texts, STARTED_AT, &record.started_at_us, err));
    TRY(parse_time(texts, UPDATED_AT, &record.updated_at_us, err));
    *ret_record = record;
    return true;
}
