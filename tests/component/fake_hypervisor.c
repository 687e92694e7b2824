/*
 * Grant table, foreign memory and event channels without a hypervisor
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Replaces the calls of libxengnttab, libxenforeignmemory and libxenevtchn that
 * xenstored and the workers make. A handle is one file descriptor, opened when the real
 * one would be, and later calls use only mmap, read and write on it, so that a
 * process that confined itself in between behaves as it would on Xen. Grants
 * are pages of a sparse file; events travel through the test process, which
 * masks a port until it is unmasked, as Xen does. Errors are what the real
 * libraries return; nothing here is lenient. For the display, which is the one
 * that maps foreign memory, tests put the time forward.
 */

#include "fake_hypervisor.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <xen/xen.h>
#include <xen/sys/gntdev.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>
#include <xengnttab.h>
#include <xentoolcore.h>

struct xenevtchn_handle {
    int fd;
};

struct xengntdev_handle {
    int fd;
};

struct xenforeignmemory_handle {
    int fd;
    int32_t only; /* the domain it is restricted to, or -1 */
};

/* What xentoolcore_restrict_all() is about: the handles opened last. */
static xenevtchn_handle *lastEvents;
static xenforeignmemory_handle *lastMemory;

static const char *
fakeDirectory(void)
{
    const char *directory = getenv("FAKEXEN_DIR");

    if (!directory) {
        fprintf(stderr, "the preload library for tests needs $FAKEXEN_DIR\n");
        abort();
    }
    return directory;
}

int
fakeConnect(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    if (snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", fakeDirectory(), name) >=
        (int)sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        int saved = errno;

        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

/* All handles begin with their descriptor. Takes @fd; NULL if that is -1. */
static void *
newHandle(size_t size, int fd)
{
    int *handle = fd < 0 ? NULL : calloc(1, size);

    if (handle) {
        *handle = fd;
    } else if (fd >= 0) {
        close(fd);
    }
    return handle;
}

static int
openFile(const char *name)
{
    char path[4096];

    snprintf(path, sizeof(path), "%s/%s", fakeDirectory(), name);
    return open(path, O_RDWR | O_CLOEXEC);
}

/* --- event channels ------------------------------------------------------- */

static int
evtchnSend(xenevtchn_handle *handle, FakeEvtchnOp op, int32_t value, uint32_t more)
{
    FakeEvtchnMessage message = {.op = op, .value = value, .more = more};

    return write(handle->fd, &message, sizeof(message)) == (ssize_t)sizeof(message) ? 0 : -1;
}

/* Sends a request and reads its answer; events that arrive first are sent round again. */
static int
evtchnAsk(xenevtchn_handle *handle, FakeEvtchnOp op, int32_t value, uint32_t more)
{
    FakeEvtchnMessage answer;

    if (evtchnSend(handle, op, value, more) < 0) {
        return -1;
    }
    for (;;) {
        if (read(handle->fd, &answer, sizeof(answer)) != (ssize_t)sizeof(answer)) {
            errno = EIO;
            return -1;
        }
        if (answer.op == op) {
            break;
        }
        if (evtchnSend(handle, FAKE_EVTCHN_AGAIN, answer.value, 0) < 0) {
            return -1;
        }
    }
    if (answer.value < 0) {
        errno = -answer.value;
        return -1;
    }
    return answer.value;
}

xenevtchn_handle *
xenevtchn_open(struct xentoollog_logger *logger, unsigned int flags)
{
    xenevtchn_handle *handle = newHandle(sizeof(*handle), fakeConnect("evtchn"));

    if (handle) {
        lastEvents = handle;
    }
    return handle;
}

xenevtchn_handle *
xenevtchn_fdopen(struct xentoollog_logger *logger, int fd, unsigned int flags)
{
    return newHandle(sizeof(xenevtchn_handle), fd);
}

int
xenevtchn_close(xenevtchn_handle *handle)
{
    if (handle) {
        lastEvents = lastEvents == handle ? NULL : lastEvents;
        close(handle->fd);
        free(handle);
    }
    return 0;
}

int
xenevtchn_fd(xenevtchn_handle *handle)
{
    return handle->fd;
}

int
xenevtchn_notify(xenevtchn_handle *handle, evtchn_port_t port)
{
    return evtchnSend(handle, FAKE_EVTCHN_NOTIFY, (int32_t)port, 0);
}

xenevtchn_port_or_error_t
xenevtchn_bind_interdomain(xenevtchn_handle *handle, uint32_t domid, evtchn_port_t remotePort)
{
    return evtchnAsk(handle, FAKE_EVTCHN_BIND, (int32_t)domid, remotePort);
}

xenevtchn_port_or_error_t
xenevtchn_bind_virq(xenevtchn_handle *handle, unsigned int virq)
{
    return evtchnAsk(handle, FAKE_EVTCHN_VIRQ, (int32_t)virq, 0);
}

int
xenevtchn_unbind(xenevtchn_handle *handle, evtchn_port_t port)
{
    return evtchnSend(handle, FAKE_EVTCHN_UNBIND, (int32_t)port, 0);
}

xenevtchn_port_or_error_t
xenevtchn_pending(xenevtchn_handle *handle)
{
    FakeEvtchnMessage message;

    if (read(handle->fd, &message, sizeof(message)) != (ssize_t)sizeof(message)) {
        return -1;
    }
    return message.value;
}

int
xenevtchn_unmask(xenevtchn_handle *handle, evtchn_port_t port)
{
    return evtchnSend(handle, FAKE_EVTCHN_UNMASK, (int32_t)port, 0);
}

int
xenevtchn_restrict(xenevtchn_handle *handle, domid_t domid)
{
    return evtchnAsk(handle, FAKE_EVTCHN_RESTRICT, domid, 0);
}

/* --- grants --------------------------------------------------------------- */

xengnttab_handle *
xengnttab_open(struct xentoollog_logger *logger, unsigned int flags)
{
    return newHandle(sizeof(xengnttab_handle), openFile("memory"));
}

int
xengnttab_close(xengnttab_handle *handle)
{
    if (handle) {
        close(handle->fd);
        free(handle);
    }
    return 0;
}

int
xengnttab_fd(xengnttab_handle *handle)
{
    return handle->fd;
}

int
xengnttab_set_max_grants(xengnttab_handle *handle, uint32_t grants)
{
    return 0;
}

static int
grantExists(xengnttab_handle *handle, uint32_t domid, uint32_t ref)
{
    size_t index = (size_t)domid * FAKE_GRANTS_MAX + ref;
    unsigned char *table;
    int exists;

    if (domid >= FAKE_DOMAINS_MAX || ref >= FAKE_GRANTS_MAX) {
        return 0;
    }
    table =
        mmap(NULL, FAKE_PAGE_SIZE, PROT_READ, MAP_SHARED, handle->fd, (off_t)(index / FAKE_PAGE_SIZE * FAKE_PAGE_SIZE));
    if (table == MAP_FAILED) {
        return 0;
    }
    exists = table[index % FAKE_PAGE_SIZE];
    munmap(table, FAKE_PAGE_SIZE);
    return exists;
}

void *
xengnttab_map_grant_ref(xengnttab_handle *handle, uint32_t domid, uint32_t ref, int prot)
{
    off_t offset = (off_t)FAKE_GRANT_TABLE_SIZE + ((off_t)domid * FAKE_GRANTS_MAX + ref) * (off_t)FAKE_PAGE_SIZE;
    void *page;

    if (!grantExists(handle, domid, ref)) {
        errno = EINVAL;
        return NULL;
    }
    page = mmap(NULL, FAKE_PAGE_SIZE, prot, MAP_SHARED, handle->fd, offset);
    return page == MAP_FAILED ? NULL : page;
}

void *
xengnttab_map_grant_ref_notify(xengnttab_handle *handle, uint32_t domid, uint32_t ref, int prot, uint32_t offset,
                               evtchn_port_t port)
{
    return xengnttab_map_grant_ref(handle, domid, ref, prot);
}

int
xengnttab_unmap(xengnttab_handle *handle, void *address, uint32_t count)
{
    return munmap(address, (size_t)count * FAKE_PAGE_SIZE);
}

/* The first half of a mapping, for a descriptor of the grant device that another process maps. */
int
ioctl(int fd, unsigned long request, ...)
{
    struct ioctl_gntdev_map_grant_ref *map;
    struct xengntdev_handle handle = {.fd = fd};
    va_list arguments;
    void *argument;

    va_start(arguments, request);
    argument = va_arg(arguments, void *);
    va_end(arguments);
    if (request != (unsigned long)IOCTL_GNTDEV_MAP_GRANT_REF) {
        return (int)syscall(SYS_ioctl, fd, request, argument);
    }
    map = argument;
    if (map->count != 1 || !grantExists(&handle, map->refs[0].domid, map->refs[0].ref)) {
        errno = EINVAL;
        return -1;
    }
    map->index =
        FAKE_GRANT_TABLE_SIZE + ((uint64_t)map->refs[0].domid * FAKE_GRANTS_MAX + map->refs[0].ref) * FAKE_PAGE_SIZE;
    return 0;
}

/* --- time ------------------------------------------------------------------- */

typedef int (*ClockFunc)(clockid_t clock, struct timespec *now);

static ClockFunc realClock;
static const volatile uint32_t *passed; /* seconds; NULL: this process has the real time */

static void
openClock(void)
{
    void *page = MAP_FAILED;
    char path[4096];
    int fd;

    snprintf(path, sizeof(path), "%s/clock", fakeDirectory());
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        page = mmap(NULL, FAKE_PAGE_SIZE, PROT_READ, MAP_SHARED, fd, 0);
        close(fd);
    }
    if (page == MAP_FAILED) {
        abort();
    }
    passed = page;
}

/* Called by the programs, and, before main(), by libraries. */
int
clock_gettime(clockid_t clock, struct timespec *now)
{
    int status;

    if (!realClock) {
        realClock = (ClockFunc)dlsym(RTLD_NEXT, "clock_gettime");
    }
    status = realClock(clock, now);
    if (status == 0 && passed && clock == CLOCK_MONOTONIC) {
        now->tv_sec += *passed;
    }
    return status;
}

/* --- foreign memory --------------------------------------------------------- */

xenforeignmemory_handle *
xenforeignmemory_open(struct xentoollog_logger *logger, unsigned int flags)
{
    xenforeignmemory_handle *handle = newHandle(sizeof(*handle), openFile("frames"));

    if (handle) {
        handle->only = -1;
        lastMemory = handle;
        openClock();
    }
    return handle;
}

int
xenforeignmemory_close(xenforeignmemory_handle *handle)
{
    if (handle) {
        lastMemory = lastMemory == handle ? NULL : lastMemory;
        close(handle->fd);
        free(handle);
    }
    return 0;
}

/* Whether each frame is the domain's. */
static int
framesOwned(xenforeignmemory_handle *handle, uint32_t domid, const xen_pfn_t *frames, size_t count)
{
    const uint32_t *owners = mmap(NULL, FAKE_FRAME_TABLE_SIZE, PROT_READ, MAP_SHARED, handle->fd, 0);
    int owned = owners != MAP_FAILED;

    for (size_t i = 0; owned && i < count; i++) {
        owned = frames[i] < FAKE_FRAMES_MAX && owners[frames[i]] == domid;
    }
    if (owners != MAP_FAILED) {
        munmap((void *)owners, FAKE_FRAME_TABLE_SIZE);
    }
    return owned;
}

void *
xenforeignmemory_map(xenforeignmemory_handle *handle, uint32_t domid, int prot, size_t count, const xen_pfn_t frames[],
                     int errors[])
{
    char *memory;

    if (handle->only >= 0 && (uint32_t)handle->only != domid) {
        errno = EPERM;
        return NULL;
    }
    if (!framesOwned(handle, domid, frames, count)) {
        errno = EINVAL;
        return NULL;
    }
    memory = mmap(NULL, count * FAKE_PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        return NULL;
    }
    for (size_t start = 0, end; start < count; start = end) {
        for (end = start + 1; end < count && frames[end] == frames[end - 1] + 1;) {
            end++;
        }
        if (mmap(memory + start * FAKE_PAGE_SIZE, (end - start) * FAKE_PAGE_SIZE, prot, MAP_SHARED | MAP_FIXED,
                 handle->fd,
                 (off_t)FAKE_FRAME_TABLE_SIZE + (off_t)frames[start] * (off_t)FAKE_PAGE_SIZE) == MAP_FAILED) {
            munmap(memory, count * FAKE_PAGE_SIZE);
            return NULL;
        }
    }
    return memory;
}

int
xenforeignmemory_unmap(xenforeignmemory_handle *handle, void *memory, size_t count)
{
    return munmap(memory, count * FAKE_PAGE_SIZE);
}

/* --- both ---------------------------------------------------------------------- */

int
xentoolcore_restrict_all(domid_t domid)
{
    if (lastMemory) {
        lastMemory->only = domid;
    }
    return lastEvents ? xenevtchn_restrict(lastEvents, domid) : 0;
}
