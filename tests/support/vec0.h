/* Where the test set-up has put sqlite-vec: in the tests' virtual environment. */
#ifndef TIDEMARK_TESTS_SUPPORT_VEC0_H
#define TIDEMARK_TESTS_SUPPORT_VEC0_H

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

/* The path of vec0.so. A test that cannot find it fails: it does not skip. */
static inline const char *vec0_path(void)
{
    static char path[4096];
    const char *given = getenv("TIDEMARK_VEC0");
    if (given != NULL) {
        return given;
    }
    glob_t found;
    if (glob(TESTS_FOLDER "/../build/venv/lib/python3*/site-packages/sqlite_vec/vec0.so", 0, NULL,
             &found) != 0 ||
        found.gl_pathc == 0) {
        fprintf(stderr, "sqlite-vec is not installed: scripts/test does it\n");
        exit(1);
    }
    snprintf(path, sizeof path, "%s", found.gl_pathv[0]);
    globfree(&found);
    return path;
}

#endif
