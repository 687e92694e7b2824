/*
 * Preloaded into xen-stubdom-dm: a file system that has what the test says
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * If $FAKEXEN_DIR/space exists it holds the bytes left; otherwise the answer
 * is the real one.
 */

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>

int
statvfs(const char *path, struct statvfs *status)
{
    int (*real)(const char *, struct statvfs *) =
        (int (*)(const char *, struct statvfs *))dlsym(RTLD_NEXT, "statvfs64");
    const char *directory = getenv("FAKEXEN_DIR");
    char name[4096];
    FILE *file;
    int rc = real(path, status);

    snprintf(name, sizeof(name), "%s/space", directory ? directory : "");
    file = fopen(name, "re");
    if (!file) {
        return rc;
    }
    status->f_frsize = 1;
    rc = fscanf(file, "%lu", &status->f_bavail) == 1 ? rc : -1;
    fclose(file);
    return rc;
}
