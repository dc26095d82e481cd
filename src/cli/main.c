/* The command `tidemark`. */
#include <signal.h>

#include "adapters/os/open_files.h"
#include "cli/commands/commands.h"

int main(int argc, char **argv)
{
    /* a reader that went away is an error of that write, not the end of the process */
    signal(SIGPIPE, SIG_IGN);
    /* a file that may not grow is a full disk, which every write is told */
    signal(SIGXFSZ, SIG_IGN);
    (void)open_files_raise();
    return (int)commands_run(argc, argv);
}
