/* A command by its name, in the table of all commands. */
#include "cli/commands/command_lookup.h"

#include "core/nearest.h"

const struct command *command_lookup(struct command_table table, const char *name)
{
    for (size_t i = 0; i < table.count; i++) {
        if (strcmp(table.commands[i]->name, name) == 0) {
            return table.commands[i];
        }
    }
    return NULL;
}

const char *command_nearest(struct command_table table, const char *name)
{
    const char *best = NULL;
    size_t best_distance = 0;
    for (size_t i = 0; i < table.count; i++) {
        nearest_offer(name, table.commands[i]->name, &best, &best_distance);
    }
    return best;
}
