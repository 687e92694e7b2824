/*
 * Preloaded into xen-stubdom-dm and the libvirt driver: libxl without a hypervisor
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The real libxenlight stays loaded: contexts, the event interface, JSON, and
 * everything that only reads xenstore are its own. The calls that need Xen or
 * hotplug scripts are sent to the test process (harness/toolstack.py), one
 * connection to $FAKEXEN_DIR/toolstack a call, arguments as libxl's own JSON.
 * Questions about domains are one hypercall, so libxl's own answers and its
 * watching for their ends are real. Any thread may call.
 * Completions of asynchronous calls arrive, as libxl's do, from
 * libxl_osevent_afterpoll(). What a program under test needs and this file
 * lacks fails loudly in libxl, which finds no hypervisor.
 *
 * Request: "NAME NUMBER…\nJSON". Answer: "RC VALUE\n" and lines for the log.
 */

#include "fake_hypervisor.h"
#include "fake_libxl.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
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
#include <libxl_uuid.h>
#include <xenctrl.h>
#include <xendevicemodel.h>
#include <xentoollog.h>

#define CALLS_MAX 64
#define CONTEXTS_MAX 128
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

/* Asynchronous calls are for programs that call libxl from one thread; xen-stubdom-dm is one. */
static FakeCall calls[CALLS_MAX];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static FakeContext contexts[CONTEXTS_MAX]; /* lock */

#define REAL(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))

static void
fakeFatal(const char *what)
{
    fprintf(stderr, "fake-libxl: %s: %s\n", what, strerror(errno));
    abort();
}

/* --- requests to the test process ----------------------------------------- */

void
fakeLog(libxl_ctx *ctx, const char *text)
{
    xentoollog_logger *logger = NULL;

    pthread_mutex_lock(&lock);
    for (int i = 0; i < CONTEXTS_MAX; i++) {
        if (ctx && contexts[i].ctx == ctx) {
            logger = contexts[i].logger;
        }
    }
    pthread_mutex_unlock(&lock);
    if (logger) {
        xtl_log(logger, XTL_ERROR, -1, "libxl", "%s", text);
    } else {
        fprintf(stderr, "libxl: %s\n", text);
    }
}

int
fakeSend(const char *json, const char *format, va_list list)
{
    static __thread char packet[PACKET_MAX];
    int length = vsnprintf(packet, sizeof(packet), format, list); /* NOLINT(clang-analyzer-valist.Uninitialized) */
    int fd = fakeConnect("toolstack");

    length += snprintf(packet + length, sizeof(packet) - (size_t)length, "\n%s", json ? json : "null");
    if (fd < 0 || length >= PACKET_MAX || send(fd, packet, (size_t)length, 0) != length) {
        fakeFatal("cannot reach the test process");
    }
    return fd;
}

int
fakeReceiveLines(libxl_ctx *ctx, int fd, long *value, char **rest)
{
    static __thread char packet[PACKET_MAX];
    ssize_t length;
    char *line;
    int rc;

    *rest = NULL;
    do {
        length = recv(fd, packet, sizeof(packet) - 1, 0);
    } while (length < 0 && errno == EINTR);
    close(fd);
    if (length <= 0) {
        fakeLog(ctx, "the test process is gone");
        return ERROR_FAIL;
    }
    packet[length] = '\0';
    *rest = packet;
    line = strsep(rest, "\n");
    rc = (int)strtol(line, &line, 10);
    *value = strtol(line, NULL, 10);
    return rc;
}

int
fakeReceive(libxl_ctx *ctx, int fd, long *value)
{
    char *line;
    char *rest = NULL;
    long number = 0;
    int rc = fakeReceiveLines(ctx, fd, &number, &rest);

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

    pthread_mutex_lock(&lock);
    for (int i = 0; rc == 0 && i < CONTEXTS_MAX; i++) {
        if (!contexts[i].ctx) {
            contexts[i] = (FakeContext){.ctx = *ctx, .logger = logger};
            break;
        }
    }
    pthread_mutex_unlock(&lock);
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
    pthread_mutex_lock(&lock);
    for (int i = 0; ctx && i < CONTEXTS_MAX; i++) {
        if (contexts[i].ctx == ctx) {
            contexts[i].ctx = NULL;
        }
    }
    pthread_mutex_unlock(&lock);
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

/* A call about a device of which nothing comes back. */
#define FAKE_DEVICE(name, type)                                                                                        \
    int name(libxl_ctx *ctx, uint32_t domid, libxl_device_##type *device, const libxl_asyncop_how *how)                \
    {                                                                                                                  \
        char *json = libxl_device_##type##_to_json(ctx, device);                                                       \
        int rc = fakeStart(ctx, how, NULL, json, #name " %u", domid);                                                  \
                                                                                                                       \
        free(json);                                                                                                    \
        return rc;                                                                                                     \
    }
FAKE_DEVICE(libxl_device_disk_add, disk)
FAKE_DEVICE(libxl_device_disk_remove, disk)
FAKE_DEVICE(libxl_device_disk_safe_remove, disk)
FAKE_DEVICE(libxl_device_disk_destroy, disk)
FAKE_DEVICE(libxl_device_nic_remove, nic)
FAKE_DEVICE(libxl_device_nic_destroy, nic)
FAKE_DEVICE(libxl_device_vfb_add, vfb)
FAKE_DEVICE(libxl_device_vkb_add, vkb)
FAKE_DEVICE(libxl_device_pci_add, pci)
FAKE_DEVICE(libxl_device_pci_remove, pci)
FAKE_DEVICE(libxl_device_pci_destroy, pci)

int
libxl_device_nic_add(libxl_ctx *ctx, uint32_t domid, libxl_device_nic *nic, const libxl_asyncop_how *how)
{
    char *json = libxl_device_nic_to_json(ctx, nic);
    uint32_t devid = 0;
    int rc = fakeStart(ctx, how, how ? NULL : &devid, json, "libxl_device_nic_add %u", domid);

    free(json);
    if (!how && rc == 0) {
        nic->devid = (libxl_devid)devid;
    }
    return rc;
}

/* What xl pci-assignable-add and -remove do. */
#define FAKE_ASSIGNABLE(name)                                                                                          \
    int name(libxl_ctx *ctx, libxl_device_pci *pci, int rebind)                                                        \
    {                                                                                                                  \
        char *json = libxl_device_pci_to_json(ctx, pci);                                                               \
        int rc = fakeStart(ctx, NULL, NULL, json, #name " %d", rebind);                                                \
                                                                                                                       \
        free(json);                                                                                                    \
        return rc;                                                                                                     \
    }
FAKE_ASSIGNABLE(libxl_device_pci_assignable_add)
FAKE_ASSIGNABLE(libxl_device_pci_assignable_remove)

/* A call about a domain as a whole. */
#define FAKE_DOMAIN(name)                                                                                              \
    int name(libxl_ctx *ctx, uint32_t domid, const libxl_asyncop_how *how)                                             \
    {                                                                                                                  \
        return fakeStart(ctx, how, NULL, NULL, #name " %u", domid);                                                    \
    }
FAKE_DOMAIN(libxl_domain_unpause)
FAKE_DOMAIN(libxl_domain_destroy)
FAKE_DOMAIN(libxl_domain_pause)
FAKE_DOMAIN(libxl_domain_shutdown)
FAKE_DOMAIN(libxl_domain_reboot)

int
libxl_domain_resume(libxl_ctx *ctx, uint32_t domid, int suspend_cancel, const libxl_asyncop_how *how)
{
    return fakeStart(ctx, how, NULL, NULL, "libxl_domain_resume %u %d", domid, suspend_cancel);
}

int
libxl_send_trigger(libxl_ctx *ctx, uint32_t domid, libxl_trigger trigger, uint32_t vcpu, const libxl_asyncop_how *how)
{
    return fakeStart(ctx, how, NULL, NULL, "libxl_send_trigger %u %d %u", domid, (int)trigger, vcpu);
}

/* The file's name goes as a JSON string; tests have none that would need escapes. */
int
libxl_domain_core_dump(libxl_ctx *ctx, uint32_t domid, const char *file, const libxl_asyncop_how *how)
{
    char json[PATH_MAX + 3];

    snprintf(json, sizeof(json), "\"%s\"", file);
    return fakeStart(ctx, how, NULL, json, "libxl_domain_core_dump %u", domid);
}

int
libxl_domain_rename(libxl_ctx *ctx, uint32_t domid, const char *old, const char *name)
{
    char json[PATH_MAX + 3];

    snprintf(json, sizeof(json), "\"%s\"", name);
    return fakeStart(ctx, NULL, NULL, json, "libxl_domain_rename %u", domid);
}

int
libxl_domain_preserve(libxl_ctx *ctx, uint32_t domid, libxl_domain_create_info *info, const char *suffix,
                      libxl_uuid uuid)
{
    char json[PATH_MAX + 3];

    snprintf(json, sizeof(json), "[\"%s%s\", \"" LIBXL_UUID_FMT "\"]", info->name, suffix, LIBXL_UUID_BYTES(uuid));
    return fakeStart(ctx, NULL, NULL, json, "libxl_domain_preserve %u", domid);
}

/* --- what libxl keeps in /var/lib/xen ----------------------------------------- */

static FILE *
fakeUserdata(uint32_t domid, const char *name, const char *mode)
{
    char path[4096];

    snprintf(path, sizeof(path), "%s/userdata-%u-%s", getenv("FAKEXEN_DIR"), domid, name);
    return fopen(path, mode);
}

int
libxl_userdata_retrieve(libxl_ctx *ctx, uint32_t domid, const char *name, uint8_t **data, int *length)
{
    FILE *file = fakeUserdata(domid, name, "r");

    *data = NULL;
    *length = 0;
    if (file) {
        *data = calloc(1, (size_t)PACKET_MAX);
        *length = (int)fread(*data, 1, (size_t)PACKET_MAX, file);
        fclose(file);
    }
    return 0;
}

int
libxl_userdata_store(libxl_ctx *ctx, uint32_t domid, const char *name, const uint8_t *data, int length)
{
    FILE *file = fakeUserdata(domid, name, "w");
    int rc = ERROR_FAIL;

    if (file) {
        rc = fwrite(data, 1, (size_t)length, file) == (size_t)length ? 0 : ERROR_FAIL;
        fclose(file);
    }
    return rc;
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

/* A line a domain: domid, flags, UUID, pages now and at most, CPU time in ns, vCPUs. */
static bool
fakeReadDomain(const char *line, xc_domaininfo_t *info)
{
    unsigned long long now = 0;
    unsigned long long most = 0;
    unsigned long long time = 0;
    unsigned int domid = 0;
    unsigned int flags = 0;
    unsigned int vcpus = 0;
    char uuid[37] = "";

    memset(info, 0, sizeof(*info));
    if (sscanf(line, "%u %u %36s %llu %llu %llu %u", &domid, &flags, uuid, &now, &most, &time, &vcpus) != 7 ||
        libxl_uuid_from_string((libxl_uuid *)info->handle, uuid) != 0) {
        return false;
    }
    info->domain = (domid_t)domid;
    info->flags = flags;
    info->tot_pages = now;
    info->max_pages = most;
    info->cpu_time = time;
    info->nr_online_vcpus = vcpus;
    info->max_vcpu_id = vcpus ? vcpus - 1 : XEN_INVALID_MAX_VCPU_ID;
    return true;
}

/* Asks the test process, with the varargs of fakeSend(). */
static int __attribute__((format(printf, 3, 4))) fakeAsk(long *value, char **rest, const char *format, ...)
{
    va_list list;
    int fd;

    va_start(list, format);
    fd = fakeSend(NULL, format, list);
    va_end(list);
    return fakeReceiveLines(NULL, fd, value, rest);
}

int
xc_domain_getinfolist(xc_interface *xch, uint32_t first, unsigned int most, xc_domaininfo_t *info)
{
    char *rest = NULL;
    long value = 0;
    char *line;
    int count = 0;

    if (fakeAsk(&value, &rest, "xc_domain_getinfolist %u %u", first, most) != 0) {
        errno = EFAULT;
        return -1;
    }
    while (rest && (line = strsep(&rest, "\n")) && (unsigned int)count < most) {
        count += fakeReadDomain(line, &info[count]);
    }
    return count;
}

int
xc_flask_sid_to_context(xc_interface *xch, int sid, char *buffer, uint32_t size)
{
    errno = ENOSYS;
    return -1;
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
