/* Which settings of a window go with which trigger. */
#include "consumer/settings/settings_check.h"
#include "core/window/cron.h"

/* Settings of one trigger have no effect with another: whoever wrote them thinks they have. */
static const struct {
    const char *path;
    enum close_trigger trigger;
    const char *problem;
} only_with[] = {
    {"window.size", TRIGGER_EVENT_TIME, "has no effect without trigger = \"event_time\""},
    {"window.out_of_orderness", TRIGGER_EVENT_TIME,
     "has no effect without trigger = \"event_time\""},
    {"window.allowed_lateness", TRIGGER_EVENT_TIME,
     "has no effect without trigger = \"event_time\""},
    {"window.idle_after", TRIGGER_EVENT_TIME, "has no effect without trigger = \"event_time\""},
    {"window.late", TRIGGER_EVENT_TIME, "has no effect without trigger = \"event_time\""},
    {"window.every", TRIGGER_SCHEDULE, "has no effect without trigger = \"schedule\""},
    {"window.cron", TRIGGER_SCHEDULE, "has no effect without trigger = \"schedule\""},
    {"window.every_records", TRIGGER_OFFSETS, "has no effect without trigger = \"offsets\""},
    {"window.offsets", TRIGGER_OFFSETS, "has no effect without trigger = \"offsets\""},
};

/* Exactly one of two. */
static void check_either(struct settings_reader *reader, const char *a, const char *b,
                         const char *trigger)
{
    bool has_a = settings_reader_has(reader, a);
    bool has_b = settings_reader_has(reader, b);
    if (has_a && has_b) {
        settings_reader_refuse(reader, b, arena_format(reader->arena, "conflicts with %s", a), NULL,
                               "one of the two", NULL);
    } else if (!has_a && !has_b) {
        settings_reader_refuse(reader, a,
                               arena_format(reader->arena, "missing: trigger is \"%s\"", trigger),
                               NULL, arena_format(reader->arena, "this or %s", b), NULL);
    }
}

static void check_targets(struct settings_reader *reader)
{
    const struct settings *settings = reader->settings;
    const struct window_settings *window = &settings->window;
    for (size_t i = 0; i < window->target_count; i++) {
        const struct offset_target *target = &window->targets[i];
        const char *path = arena_format(reader->arena, "window.offsets[%zu]", i);
        bool known = false;
        for (size_t j = 0; j < settings->topic_count; j++) {
            known = known || (settings->topics[j].name != NULL &&
                              strcmp(settings->topics[j].name, target->topic) == 0);
        }
        if (!known) {
            settings_reader_refuse(
                reader, path, "a topic that is not in topics",
                settings_reader_written(reader, arena_format(reader->arena, "%s[0]", path)), NULL,
                NULL);
        }
        for (size_t j = 0; j < i; j++) {
            if (window->targets[j].partition == target->partition &&
                strcmp(window->targets[j].topic, target->topic) == 0) {
                settings_reader_refuse(reader, path, "the partition of an earlier item", NULL,
                                       "each partition once", NULL);
                break;
            }
        }
    }
}

/* The wording of cron_parse names the field; the expression itself is shown as it is written. */
static void check_cron(struct settings_reader *reader)
{
    const char *text = reader->settings->window.cron;
    struct cron cron;
    struct err err = {0};
    if (text == NULL) {
        return;
    }
    if (!cron_parse(text, &cron, &err)) {
        static const char prefix[] = "cron: ";
        const char *problem = err.message;
        problem += strncmp(problem, prefix, sizeof prefix - 1) == 0 ? sizeof prefix - 1 : 0;
        settings_reader_refuse(reader, "window.cron", problem,
                               settings_reader_written(reader, "window.cron"),
                               "minute hour day month weekday, as in \"0 3 * * 1-5\"", NULL);
    } else if (cron_next_us(&cron, 0) == INT64_MAX) {
        settings_reader_refuse(reader, "window.cron", "a time that never comes",
                               settings_reader_written(reader, "window.cron"), NULL, NULL);
    }
}

void settings_check_window(struct settings_reader *reader)
{
    const struct window_settings *window = &reader->settings->window;
    if (!settings_reader_is_right(reader, "window.trigger")) {
        return; /* reported already; the rest would be guesses */
    }
    for (size_t i = 0; i < LENGTH_OF(only_with); i++) {
        if (window->trigger != only_with[i].trigger &&
            settings_reader_has(reader, only_with[i].path)) {
            settings_reader_refuse(reader, only_with[i].path, only_with[i].problem, NULL, NULL,
                                   NULL);
        }
    }
    switch (window->trigger) {
    case TRIGGER_EVENT_TIME:
        if (!settings_reader_has(reader, "window.size")) {
            settings_reader_refuse(reader, "window.size", "missing: trigger is \"event_time\"",
                                   NULL, "a duration, as in \"5m\"", NULL);
        }
        break;
    case TRIGGER_SCHEDULE:
        check_either(reader, "window.every", "window.cron", "schedule");
        check_cron(reader);
        break;
    case TRIGGER_OFFSETS:
        check_either(reader, "window.every_records", "window.offsets", "offsets");
        check_targets(reader);
        break;
    case TRIGGER_MANUAL:
        break;
    }
}
