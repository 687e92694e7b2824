/*
 * Preloaded into xen-stubdom-dm: libxl without a hypervisor
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The real libxenlight stays loaded: contexts, the event interface, JSON, and
 * everything that only reads xenstore are its own. The calls that need Xen or
 * hotplug scripts are sent to the test process (harness/toolstack.py), one
 * connection to $FAKEXEN_DIR/toolstack a call, arguments as libxl's own JSON.
 * Completions of asynchronous calls arrive, as libxl's do, from
 * libxl_osevent_afterpoll(). What a program under test needs and this file
 * lacks fails loudly in libxl, which finds no hypervisor.
 *
 * Request: "NAME NUMBER…\nJSON". Answer: "RC VALUE\n" and lines for the log.
 */

#include "fake_hypervisor.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libxl.h>
#include <libxl_event.h>
#include <libxl_utils.h>
#include <xenctrl.h>
#include <xendevicemodel.h>
#include <xentoollog.h>

#define CALLS_MAX 64
#define CONTEXTS_MAX 8
#define PACKET_MAX (128 * 1024)

typedef struct {
    libxl_ctx *ctx; /* NULL: this place is free */
    libxl_asyncop_how how;
    uint32_t *domid; /* where libxl_domain_create_new() puts its result, or NULL */
    int fd;
} FakeCall;

typedef struct {
    libxl_ctx *ctx;
    xentoollog_logger *logger;
} FakeContext;

/* Programs call libxl from one thread. */
static FakeCall calls[CALLS_MAX];
static FakeContext contexts[CONTEXTS_MAX];

#define REAL(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))

static void
fakeFatal(const char *what)
{
    fprintf(stderr, "fake-libxl: %s: %s\n", what, strerror(errno));
    abort();
}

/* --- requests to the test process ----------------------------------------- */

static void
fakeLog(libxl_ctx *ctx, const char *text)
{
    for (int i = 0; i < CONTEXTS_MAX; i++) {
        if (ctx && contexts[i].ctx == ctx && contexts[i].logger) {
            xtl_log(contexts[i].logger, XTL_ERROR, -1, "libxl", "%s", text);
            return;
        }
    }
    fprintf(stderr, "libxl: %s\n", text);
}

static int __attribute__((format(printf, 2, 0))) fakeSend(const char *json, const char *format, va_list list)
{
    static char packet[PACKET_MAX];
    int length = vsnprintf(packet, sizeof(packet), format, list); /* NOLINT(clang-analyzer-valist.Uninitialized) */
    int fd = fakeConnect("toolstack");

    length += snprintf(packet + length, sizeof(packet) - (size_t)length, "\n%s", json ? json : "null");
    if (fd < 0 || length >= PACKET_MAX || send(fd, packet, (size_t)length, 0) != length) {
        fakeFatal("cannot reach the test process");
    }
    return fd;
}

/* Reads an answer, logs its lines, closes @fd. Returns the call's rc. */
static int
fakeReceive(libxl_ctx *ctx, int fd, long *value)
{
    static char packet[PACKET_MAX];
    ssize_t length;
    char *line;
    char *rest = packet;
    long number = 0;
    int rc;

    do {
        length = recv(fd, packet, sizeof(packet) - 1, 0);
    } while (length < 0 && errno == EINTR);
    close(fd);
    if (length <= 0) {
        fakeLog(ctx, "the test process is gone");
        return ERROR_FAIL;
    }
    packet[length] = '\0';
    line = strsep(&rest, "\n");
    rc = (int)strtol(line, &line, 10);
    number = strtol(line, NULL, 10);
    while (rest && (line = strsep(&rest, "\n"))) {
        if (*line) {
            fakeLog(ctx, line);
        }
    }
    if (value) {
        *value = number;
    }
    return rc;
}

static int __attribute__((format(printf, 4, 5)))
fakeCall(libxl_ctx *ctx, long *value, const char *json, const char *format, ...)
{
    va_list list;
    int fd;

    va_start(list, format);
    fd = fakeSend(json, format, list);
    va_end(list);
    return fakeReceive(ctx, fd, value);
}

/* A call with an ao_how: synchronous without one, else finished by libxl_osevent_afterpoll(). */
static int __attribute__((format(printf, 5, 6)))
fakeStart(libxl_ctx *ctx, const libxl_asyncop_how *how, uint32_t *domid, const char *json, const char *format, ...)
{
    va_list list;
    int fd;

    va_start(list, format);
    fd = fakeSend(json, format, list);
    va_end(list);
    if (!how) {
        long value = 0;
        int rc = fakeReceive(ctx, fd, &value);

        if (domid) {
            *domid = (uint32_t)value;
        }
        return rc;
    }
    if (!how->callback) {
        errno = ENOSYS;
        fakeFatal("asynchronous calls without a callback");
    }
    for (int i = 0; i < CALLS_MAX; i++) {
        if (!calls[i].ctx) {
            calls[i] = (FakeCall){.ctx = ctx, .how = *how, .domid = domid, .fd = fd};
            return 0;
        }
    }
    errno = EMFILE;
    fakeFatal("too many calls at a time");
    return ERROR_FAIL;
}

static bool
fakeReadable(int fd)
{
    struct pollfd waiter = {.fd = fd, .events = POLLIN};

    return poll(&waiter, 1, 0) == 1;
}

int
libxl_osevent_beforepoll(libxl_ctx *ctx, int *count, struct pollfd *fds, int *timeout, struct timeval now)
{
    int size = *count;
    int rc = REAL(libxl_osevent_beforepoll)(ctx, count, fds, timeout, now);

    if (rc && rc != ERROR_BUFFERFULL) {
        return rc;
    }
    for (int i = 0; i < CALLS_MAX; i++) {
        if (calls[i].ctx == ctx) {
            if (*count < size) {
                fds[*count] = (struct pollfd){.fd = calls[i].fd, .events = POLLIN};
            } else {
                rc = ERROR_BUFFERFULL;
            }
            (*count)++;
        }
    }
    return rc;
}

void
libxl_osevent_afterpoll(libxl_ctx *ctx, int count, const struct pollfd *fds, struct timeval now)
{
    REAL(libxl_osevent_afterpoll)(ctx, count, fds, now);
    for (int i = 0; i < CALLS_MAX; i++) {
        if (calls[i].ctx == ctx && fakeReadable(calls[i].fd)) {
            FakeCall call = calls[i];
            long value = 0;
            int rc;

            calls[i].ctx = NULL; /* before the callback, which may start the next call */
            rc = fakeReceive(ctx, call.fd, &value);
            if (call.domid) {
                *call.domid = (uint32_t)value;
            }
            call.how.callback(ctx, rc, call.how.u.for_callback);
        }
    }
}

/* --- contexts ------------------------------------------------------------- */

int
libxl_ctx_alloc(libxl_ctx **ctx, int version, unsigned int flags, xentoollog_logger *logger)
{
    int rc = REAL(libxl_ctx_alloc)(ctx, version, flags, logger);

    for (int i = 0; rc == 0 && i < CONTEXTS_MAX; i++) {
        if (!contexts[i].ctx) {
            contexts[i] = (FakeContext){.ctx = *ctx, .logger = logger};
            break;
        }
    }
    return rc;
}

int
libxl_ctx_free(libxl_ctx *ctx)
{
    for (int i = 0; ctx && i < CALLS_MAX; i++) {
        if (calls[i].ctx == ctx) {
            errno = EBUSY; /* libxl asserts the same */
            fakeFatal("libxl_ctx_free() with a call in progress");
        }
    }
    for (int i = 0; ctx && i < CONTEXTS_MAX; i++) {
        if (contexts[i].ctx == ctx) {
            contexts[i].ctx = NULL;
        }
    }
    return REAL(libxl_ctx_free)(ctx);
}

/* --- libxl calls that need Xen -------------------------------------------- */

int
libxl_domain_create_new(libxl_ctx *ctx, libxl_domain_config *config, uint32_t *domid, const libxl_asyncop_how *how,
                        const libxl_asyncprogress_how *consoleHow)
{
    char *json = libxl_domain_config_to_json(ctx, config);
    int rc = fakeStart(ctx, how, domid, json, "libxl_domain_create_new");

    free(json);
    return rc;
}

int
libxl_device_disk_add(libxl_ctx *ctx, uint32_t domid, libxl_device_disk *disk, const libxl_asyncop_how *how)
{
    char *json = libxl_device_disk_to_json(ctx, disk);
    int rc = fakeStart(ctx, how, NULL, json, "libxl_device_disk_add %u", domid);

    free(json);
    return rc;
}

int
libxl_device_disk_remove(libxl_ctx *ctx, uint32_t domid, libxl_device_disk *disk, const libxl_asyncop_how *how)
{
    char *json = libxl_device_disk_to_json(ctx, disk);
    int rc = fakeStart(ctx, how, NULL, json, "libxl_device_disk_remove %u", domid);

    free(json);
    return rc;
}

int
libxl_device_nic_add(libxl_ctx *ctx, uint32_t domid, libxl_device_nic *nic, const libxl_asyncop_how *how)
{
    char *json = libxl_device_nic_to_json(ctx, nic);
    int rc = fakeStart(ctx, how, NULL, json, "libxl_device_nic_add %u", domid);

    free(json);
    return rc;
}

int
libxl_device_vfb_add(libxl_ctx *ctx, uint32_t domid, libxl_device_vfb *vfb, const libxl_asyncop_how *how)
{
    char *json = libxl_device_vfb_to_json(ctx, vfb);
    int rc = fakeStart(ctx, how, NULL, json, "libxl_device_vfb_add %u", domid);

    free(json);
    return rc;
}

int
libxl_device_vkb_add(libxl_ctx *ctx, uint32_t domid, libxl_device_vkb *vkb, const libxl_asyncop_how *how)
{
    char *json = libxl_device_vkb_to_json(ctx, vkb);
    int rc = fakeStart(ctx, how, NULL, json, "libxl_device_vkb_add %u", domid);

    free(json);
    return rc;
}

int
libxl_domain_unpause(libxl_ctx *ctx, uint32_t domid, const libxl_asyncop_how *how)
{
    return fakeStart(ctx, how, NULL, NULL, "libxl_domain_unpause %u", domid);
}

int
libxl_domain_destroy(libxl_ctx *ctx, uint32_t domid, const libxl_asyncop_how *how)
{
    return fakeStart(ctx, how, NULL, NULL, "libxl_domain_destroy %u", domid);
}

/* The answer's value is -1 for a running domain, -2 for a dying one, -3 for a paused one, else its shutdown reason. */
int
libxl_domain_info(libxl_ctx *ctx, libxl_dominfo *info, uint32_t domid)
{
    long value = 0;
    int rc = fakeCall(ctx, &value, NULL, "libxl_domain_info %u", domid);

    if (rc || !info) {
        return rc;
    }
    info->domid = domid;
    info->dying = value == -2;
    info->shutdown = value >= 0;
    info->running = value == -1;
    info->paused = value == -3;
    info->shutdown_reason = value >= 0 ? (libxl_shutdown_reason)value : LIBXL_SHUTDOWN_REASON_UNKNOWN;
    return 0;
}

/* --- hypercalls ----------------------------------------------------------- */

xc_interface *
xc_interface_open(xentoollog_logger *logger, xentoollog_logger *buildLogger, unsigned int flags)
{
    return calloc(1, 1);
}

int
xc_interface_close(xc_interface *xch)
{
    free(xch);
    return 0;
}

int
xc_domain_set_target(xc_interface *xch, uint32_t domid, uint32_t target)
{
    return fakeCall(NULL, NULL, NULL, "xc_domain_set_target %u %u", domid, target);
}

struct xendevicemodel_handle {
    int unused;
};

xendevicemodel_handle *
xendevicemodel_open(xentoollog_logger *logger, unsigned int flags)
{
    return calloc(1, sizeof(xendevicemodel_handle));
}

int
xendevicemodel_close(xendevicemodel_handle *handle)
{
    free(handle);
    return 0;
}

int
xendevicemodel_shutdown(xendevicemodel_handle *handle, domid_t domid, unsigned int reason)
{
    return fakeCall(NULL, NULL, NULL, "xendevicemodel_shutdown %u %u", domid, reason);
}
