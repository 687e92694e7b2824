/*
 * Preloaded into the libvirt driver: PCI devices in sysfs without a kernel that has them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Part of fake-libxl.so. Paths below /sys/bus/pci, and below $FAKE_SYSFS_ROOT,
 * the driver's own place of it, are looked up in the directory $FAKE_SYSFS
 * instead, for the calls that libvirt, libxl and GLib make. What is written there is told to the test process
 * (harness/sysfs.py), which does what the kernel would, before the write returns: it may fail.
 *
 * Request: "sysfs_write\n{"path": …, "text": …}". Answer: "RC 0\n", RC a negative errno.
 */

/* Both families of calls are defined here, so none may be the other's name. */
#undef _FILE_OFFSET_BITS
#undef _FORTIFY_SOURCE

#include "fake_hypervisor.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLACE "/sys/bus/pci"
#define FDS_MAX 4096
#define REAL(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))

/* Which descriptors are open for writing below $FAKE_SYSFS, and on what: malloc()ed. */
static char *written[FDS_MAX];

/* @path, or what stands for it, in @buffer. */
static const char *
place(const char *path, char buffer[PATH_MAX])
{
    const char *directory = getenv("FAKE_SYSFS");
    const char *places[] = {PLACE, getenv("FAKE_SYSFS_ROOT")};

    for (size_t i = 0; directory && path && i < 2; i++) {
        if (places[i] && strncmp(path, places[i], strlen(places[i])) == 0) {
            snprintf(buffer, PATH_MAX, "%s%s", directory, path + strlen(places[i]));
            return buffer;
        }
    }
    return path;
}

/* --- writing --------------------------------------------------------------------- */

static int
tell(const char *path, const char *text, int length)
{
    char packet[PATH_MAX + 256];
    int fd = fakeConnect("toolstack");
    ssize_t size = snprintf(packet, sizeof(packet), "sysfs_write\n{\"path\": \"%s\", \"text\": \"%.*s\"}", path,
                            (int)strcspn(text, "\n") < length ? (int)strcspn(text, "\n") : length, text);

    if (fd < 0 || send(fd, packet, (size_t)size, 0) != size) {
        perror("fake-sysfs: cannot reach the test process");
        abort();
    }
    size = recv(fd, packet, sizeof(packet) - 1, 0);
    close(fd);
    packet[size < 0 ? 0 : size] = '\0';
    return size <= 0 ? -EIO : (int)strtol(packet, NULL, 10);
}

ssize_t
write(int fd, const void *data, size_t length)
{
    int error;

    if (fd < 0 || fd >= FDS_MAX || !written[fd]) {
        return REAL(write)(fd, data, length);
    }
    error = tell(written[fd], data, (int)length);
    if (error < 0) {
        errno = -error;
        return -1;
    }
    return (ssize_t)length;
}

int
close(int fd)
{
    if (fd >= 0 && fd < FDS_MAX && written[fd]) {
        free(written[fd]);
        written[fd] = NULL;
    }
    return REAL(close)(fd);
}

static int
openReal(const char *path, int flags, mode_t mode)
{
    char buffer[PATH_MAX];
    const char *where = place(path, buffer);
    bool ours = where != path;
    /* sysfs has no lengths and creates nothing */
    int fd = REAL(open64)(where, ours ? flags & ~(O_TRUNC | O_CREAT) : flags, mode);

    if (ours && fd >= 0 && fd < FDS_MAX && (flags & O_ACCMODE) != O_RDONLY) {
        written[fd] = strdup(where);
    }
    return fd;
}

#define FAKE_OPEN(name)                                                                                                \
    int name(const char *path, int flags, ...)                                                                         \
    {                                                                                                                  \
        va_list list;                                                                                                  \
        mode_t mode;                                                                                                   \
                                                                                                                       \
        va_start(list, flags);                                                                                         \
        mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;                                               \
        va_end(list);                                                                                                  \
        return openReal(path, flags, mode);                                                                            \
    }
FAKE_OPEN(open64)
FAKE_OPEN(open)

int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);

int
__open_2(const char *path, int flags)
{
    return openReal(path, flags, 0);
}

int
__open64_2(const char *path, int flags)
{
    return openReal(path, flags, 0);
}

/* --- looking ---------------------------------------------------------------------- */

int
access(const char *path, int mode)
{
    char buffer[PATH_MAX];

    return REAL(access)(place(path, buffer), mode);
}

#define FAKE_STAT(name, type)                                                                                          \
    int name(const char *path, struct type *result)                                                                    \
    {                                                                                                                  \
        char buffer[PATH_MAX];                                                                                         \
                                                                                                                       \
        return REAL(name)(place(path, buffer), result);                                                                \
    }
FAKE_STAT(stat64, stat64)
FAKE_STAT(lstat64, stat64)
FAKE_STAT(stat, stat)
FAKE_STAT(lstat, stat)

ssize_t
readlink(const char *path, char *result, size_t size)
{
    char buffer[PATH_MAX];

    return REAL(readlink)(place(path, buffer), result, size);
}

char *
realpath(const char *path, char *result)
{
    char buffer[PATH_MAX];

    return REAL(realpath)(place(path, buffer), result);
}

char *
canonicalize_file_name(const char *path)
{
    char buffer[PATH_MAX];

    return REAL(canonicalize_file_name)(place(path, buffer));
}

DIR *
opendir(const char *path)
{
    char buffer[PATH_MAX];

    return REAL(opendir)(place(path, buffer));
}
