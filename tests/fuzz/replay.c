/* Feeds every file of the corpus folders on its command line to a fuzz target, once. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_BYTES_MAX = 1 << 20 };

static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    /* exactly as large as the input, so that a sanitizer sees a read past its end */
    uint8_t *whole = malloc(INPUT_BYTES_MAX);
    size_t size = whole == NULL ? 0 : fread(whole, 1, INPUT_BYTES_MAX, file);
    uint8_t *data = realloc(whole, size > 0 ? size : 1);
    fclose(file);
    if (data == NULL) {
        free(whole);
        exit(1);
    }
    LLVMFuzzerTestOneInput(data, size);
    free(data);
}

static size_t replay_folder(const char *folder)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, NULL, alphasort);
    if (count < 0) {
        perror(folder);
        exit(1);
    }
    size_t replayed = 0;
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.') {
            char path[4096];
            snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
            replay_file(path);
            replayed++;
        }
        free(entries[i]);
    }
    free(entries);
    return replayed;
}

int main(int argc, char **argv)
{
    size_t replayed = 0;
    for (int i = 1; i < argc; i++) {
        replayed += replay_folder(argv[i]);
    }
    printf("%zu inputs\n", replayed);
    if (replayed == 0) {
        fprintf(stderr, "a target without a corpus tests nothing\n");
        return 1;
    }
    return 0;
}
