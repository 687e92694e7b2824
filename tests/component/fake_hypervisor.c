/*
 * Grant table and event channels without a hypervisor
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Replaces the calls of libxengnttab and libxenevtchn that xenstored and the
 * console worker make. A handle is one file descriptor, opened when the real
 * one would be, and later calls use only mmap, read and write on it, so that a
 * process that confined itself in between behaves as it would on Xen. Grants
 * are pages of a sparse file; events travel through the test process, which
 * masks a port until it is unmasked, as Xen does. Errors are what the real
 * libraries return; nothing here is lenient.
 */

#include "fake_hypervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <xenevtchn.h>
#include <xengnttab.h>

struct xenevtchn_handle {
    int fd;
};

struct xengntdev_handle {
    int fd;
};

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
    xenevtchn_handle *handle;
    int fd = fakeConnect("evtchn");

    if (fd < 0) {
        return NULL;
    }
    handle = calloc(1, sizeof(*handle));
    if (!handle) {
        close(fd);
        return NULL;
    }
    handle->fd = fd;
    return handle;
}

xenevtchn_handle *
xenevtchn_fdopen(struct xentoollog_logger *logger, int fd, unsigned int flags)
{
    xenevtchn_handle *handle = calloc(1, sizeof(*handle));

    if (handle) {
        handle->fd = fd;
    }
    return handle;
}

int
xenevtchn_close(xenevtchn_handle *handle)
{
    if (handle) {
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
    xengnttab_handle *handle;
    char path[4096];
    int fd;

    snprintf(path, sizeof(path), "%s/memory", fakeDirectory());
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return NULL;
    }
    handle = calloc(1, sizeof(*handle));
    if (!handle) {
        close(fd);
        return NULL;
    }
    handle->fd = fd;
    return handle;
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
