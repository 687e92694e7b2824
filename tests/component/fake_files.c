/*
 * Preloaded into the libvirt driver: a disk that is full, or a power switch, at a given step of writing a save image
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * If $FAKEXEN_DIR/file-fault holds "NUMBER kill" or
 * "NUMBER full", the NUMBER-th call from then on that makes, writes, brings to
 * the disk, renames or removes a file below a directory "save" does not
 * happen: the process is killed, or the call fails for want of space. The file
 * is removed then, so a test sees when it has walked past the last one.
 * Removing is never refused for want of space.
 */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLACE "/save/"

#define REAL(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int count; /* lock: of calls since the fault was asked for */

/* Whether the call that comes now is to fail. */
static bool
isDue(void)
{
    const char *directory = getenv("FAKEXEN_DIR");
    char path[4096];
    char action[16] = "";
    int number = 0;
    bool due;
    FILE *file;

    snprintf(path, sizeof(path), "%s/file-fault", directory ? directory : "");
    pthread_mutex_lock(&lock);
    file = fopen(path, "re");
    count = file ? count + 1 : 0;
    if (file) {
        if (fscanf(file, "%d %15s", &number, action) != 2) {
            abort(); /* a test wrote nonsense */
        }
        fclose(file);
    }
    due = number && number == count;
    if (due) {
        REAL(unlink)(path);
        count = 0;
    }
    pthread_mutex_unlock(&lock);
    if (due && strcmp(action, "kill") == 0) {
        kill(getpid(), SIGKILL);
        pause();
    }
    errno = ENOSPC;
    return due;
}

static bool
isSaved(int fd)
{
    char name[64];
    char path[4096];
    ssize_t length;

    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    length = readlink(name, path, sizeof(path) - 1);
    if (length <= 0) {
        return false;
    }
    path[length] = '\0';
    return strstr(path, PLACE) != NULL;
}

int
open64(const char *path, int flags, ...)
{
    va_list list;
    mode_t mode = 0;

    if (flags & (O_CREAT | O_TMPFILE)) {
        va_start(list, flags);
        mode = va_arg(list, mode_t);
        va_end(list);
    }
    return (flags & O_CREAT) && strstr(path, PLACE) && isDue() ? -1 : REAL(open64)(path, flags, mode);
}

ssize_t
write(int fd, const void *bytes, size_t size)
{
    return isSaved(fd) && isDue() ? -1 : REAL(write)(fd, bytes, size);
}

int
fsync(int fd)
{
    return isSaved(fd) && isDue() ? -1 : REAL(fsync)(fd);
}

int
rename(const char *from, const char *to)
{
    return strstr(from, PLACE) && isDue() ? -1 : REAL(rename)(from, to);
}

int
unlink(const char *path)
{
    if (strstr(path, PLACE)) {
        (void)isDue();
    }
    return REAL(unlink)(path);
}
