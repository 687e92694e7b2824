/*
 * Client of xen-stubdom-dm's socket
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One JSON object a line in both directions. Answers are told apart by their
 * `id`, so a late one cannot be taken for another's.
 */

#include "stubdom_compat.h"

#include "stubdom_monitor.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "virfile.h"
#include "virobject.h"
#include "virstring.h"
#include "virthread.h"
#include "virtime.h"

VIR_LOG_INIT("stubdom.monitor");

/* Bytes. xen-stubdom-dm queues no more output than this for a client (DM_QMP_OUTPUT_MAX). */
#define LINE_MAX_LENGTH 262144U
#define READ_SIZE 4096

typedef struct {
    unsigned int id;
    bool answered;
    virJSONValue *answer;
} Command;

struct _StubdomMonitor {
    virObjectLockable parent;
    char *path;                        /* immutable */
    int fd;                            /* immutable; closed with the last reference */
    GMainContext *context;             /* immutable */
    StubdomMonitorCallbacks callbacks; /* immutable */
    void *opaque;                      /* immutable pointer */
    GDestroyNotify destroy;            /* immutable */
    virCond changed;                   /* a command was answered, or the connection ended */
    bool ended;                        /* lock */
    GSource *readable;                 /* lock; NULL: ended */
    GSource *writable;                 /* lock; NULL: nothing to write */
    GString *input;                    /* event loop only */
    GString *output;                   /* lock */
    int passed;                        /* lock: descriptor to go with a byte of it; -1: none */
    gsize passedAt;                    /* lock: which byte */
    GList *commands;                   /* lock: of Command, each on the stack of a thread that waits */
    unsigned int lastId;               /* lock */
};

static virClass *StubdomMonitorClass;
static void StubdomMonitorDispose(void *object);

static int
StubdomMonitorOnceInit(void)
{
    return VIR_CLASS_NEW(StubdomMonitor, virClassForObjectLockable()) ? 0 : -1;
}

VIR_ONCE_GLOBAL_INIT(StubdomMonitor);

static void
StubdomMonitorDispose(void *object)
{
    StubdomMonitor *monitor = object;

    VIR_FORCE_CLOSE(monitor->fd);
    VIR_FORCE_CLOSE(monitor->passed);
    g_clear_pointer(&monitor->context, g_main_context_unref);
    if (monitor->destroy) {
        monitor->destroy(monitor->opaque);
    }
    virCondDestroy(&monitor->changed);
    g_string_free(monitor->input, TRUE);
    g_string_free(monitor->output, TRUE);
    g_free(monitor->path);
}

static void
clearSource(GSource **source)
{
    if (*source) {
        g_source_destroy(*source);
        g_source_unref(*source);
        *source = NULL;
    }
}

/* Locked. Nothing is read or written any more, and who waits need not. */
static void
endLocked(StubdomMonitor *monitor)
{
    monitor->ended = true;
    clearSource(&monitor->readable);
    clearSource(&monitor->writable);
    virCondBroadcast(&monitor->changed);
}

static void
endByItself(StubdomMonitor *monitor)
{
    bool first;

    virObjectLock(monitor);
    first = !monitor->ended;
    endLocked(monitor);
    virObjectUnlock(monitor);
    if (first && monitor->callbacks.end) {
        monitor->callbacks.end(monitor, monitor->opaque);
    }
}

/* --- reading ---------------------------------------------------------------------- */

static void
takeAnswer(StubdomMonitor *monitor, unsigned int id, virJSONValue **answer)
{
    virObjectLock(monitor);
    for (GList *item = monitor->commands; item; item = item->next) {
        Command *command = item->data;

        if (command->id == id && !command->answered) {
            command->answered = true;
            command->answer = g_steal_pointer(answer);
            virCondBroadcast(&monitor->changed);
            break;
        }
    }
    virObjectUnlock(monitor);
    if (*answer) {
        VIR_INFO("%s: an answer nobody waits for any more", monitor->path);
    }
}

/* Returns false for what is no QMP. */
static bool
takeLine(StubdomMonitor *monitor, const char *line)
{
    g_autoptr(virJSONValue) object = NULL;
    const char *event;
    unsigned int id = 0;

    if (!*line) {
        return true;
    }
    if (!(object = virJSONValueFromString(line)) || !virJSONValueIsObject(object)) {
        virResetLastError();
        return false;
    }
    if ((event = virJSONValueObjectGetString(object, "event"))) {
        if (monitor->callbacks.event) {
            monitor->callbacks.event(monitor, event, virJSONValueObjectGetObject(object, "data"), monitor->opaque);
        }
        return true;
    }
    if (virJSONValueObjectGetNumberUint(object, "id", &id) == 0) {
        takeAnswer(monitor, id, &object);
    }
    return true; /* the greeting has no id */
}

static bool
takeLines(StubdomMonitor *monitor)
{
    GString *input = monitor->input;
    char *end;

    while ((end = memchr(input->str, '\n', input->len))) {
        g_autofree char *line = g_strndup(input->str, (gsize)(end - input->str));

        g_string_erase(input, 0, end - input->str + 1);
        if (!takeLine(monitor, g_strchomp(line))) {
            return false;
        }
    }
    return input->len <= LINE_MAX_LENGTH;
}

static gboolean
isReadable(gint fd, GIOCondition condition, gpointer opaque)
{
    StubdomMonitor *monitor = opaque;
    char bytes[READ_SIZE];
    ssize_t length;

    do {
        length = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    } while (length < 0 && errno == EINTR);
    if (length < 0 && errno == EAGAIN) {
        return G_SOURCE_CONTINUE;
    }
    if (length > 0) {
        g_string_append_len(monitor->input, bytes, length);
        if (takeLines(monitor)) {
            return G_SOURCE_CONTINUE;
        }
        VIR_WARN("%s: what was received is no QMP; the connection is closed", monitor->path);
    }
    endByItself(monitor);
    return G_SOURCE_REMOVE;
}

/* --- writing ---------------------------------------------------------------------- */

static GSource *
attachSource(StubdomMonitor *monitor, GIOCondition condition, GUnixFDSourceFunc func)
{
    GSource *source = g_unix_fd_source_new(monitor->fd, condition);

    g_source_set_callback(source, G_SOURCE_FUNC(func), virObjectRef(monitor), virObjectUnref);
    g_source_attach(source, monitor->context);
    return source;
}

/* Locked. Sends as much as can be sent now, the descriptor with the byte it belongs to. As send(). */
static ssize_t
sendSome(StubdomMonitor *monitor)
{
    GString *output = monitor->output;
    bool passing = monitor->passed >= 0 && monitor->passedAt == 0;
    struct iovec part = {.iov_base = output->str, .iov_len = output->len};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {.bytes = {0}};

    if (monitor->passed >= 0 && !passing) {
        part.iov_len = monitor->passedAt;
    }
    if (passing) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof(control.bytes);
        CMSG_FIRSTHDR(&message)->cmsg_level = SOL_SOCKET;
        CMSG_FIRSTHDR(&message)->cmsg_type = SCM_RIGHTS;
        CMSG_FIRSTHDR(&message)->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), &monitor->passed, sizeof(int));
    }
    return sendmsg(monitor->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Locked. Writes what can be written now. Returns false if the connection is broken. */
static bool
writeLocked(StubdomMonitor *monitor)
{
    GString *output = monitor->output;

    while (output->len) {
        ssize_t length = sendSome(monitor);

        if (length < 0 && errno == EAGAIN) {
            return true;
        }
        if (length < 0 && errno != EINTR) {
            return false;
        }
        if (length > 0) {
            g_string_erase(output, 0, length);
            if (monitor->passed >= 0 && monitor->passedAt == 0) {
                VIR_FORCE_CLOSE(monitor->passed);
            } else if (monitor->passed >= 0) {
                monitor->passedAt -= (gsize)length;
            }
        }
    }
    return true;
}

static gboolean
isWritable(gint fd, GIOCondition condition, gpointer opaque)
{
    StubdomMonitor *monitor = opaque;
    bool more;

    virObjectLock(monitor);
    more = !monitor->ended && writeLocked(monitor) && monitor->output->len;
    if (!more) {
        clearSource(&monitor->writable); /* a broken connection is noticed by who reads */
    }
    virObjectUnlock(monitor);
    return more ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

/* Locked. A copy of @fd goes with what is written next. */
static int
passLocked(StubdomMonitor *monitor, int fd)
{
    if (monitor->passed >= 0) {
        virReportError(VIR_ERR_OPERATION_FAILED, _("'%s' has not taken another descriptor yet"), monitor->path);
        return -1;
    }
    if ((monitor->passed = fcntl(fd, F_DUPFD_CLOEXEC, 0)) < 0) {
        virReportSystemError(errno, _("the descriptor %d cannot be copied"), fd);
        return -1;
    }
    monitor->passedAt = monitor->output->len;
    return 0;
}

/* Locked. Queues @command with its @arguments, which are taken, and a copy of @fd if it is not -1. */
static int
sendLocked(StubdomMonitor *monitor, const char *command, virJSONValue **arguments, unsigned int id, int fd)
{
    g_autoptr(virJSONValue) object = NULL;
    g_autofree char *text = NULL;
    virJSONValue *none = NULL;

    if (virJSONValueObjectAdd(&object, "s:execute", command, "A:arguments", arguments ? arguments : &none, "u:id", id,
                              NULL) < 0 ||
        !(text = virJSONValueToString(object, false)) || (fd >= 0 && passLocked(monitor, fd) < 0)) {
        return -1;
    }
    g_string_append_printf(monitor->output, "%s\n", text);
    if (!writeLocked(monitor)) {
        virReportSystemError(errno, _("cannot write to '%s'"), monitor->path);
        return -1;
    }
    if (monitor->output->len && !monitor->writable) {
        monitor->writable = attachSource(monitor, G_IO_OUT, isWritable);
    }
    return 0;
}

/* --- open and close ---------------------------------------------------------------- */

static int
connectTo(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    if (virStrcpyStatic(address.sun_path, path) < 0) {
        virReportError(VIR_ERR_INTERNAL_ERROR, _("'%s' is too long for a socket"), path);
        return -1;
    }
    if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) < 0 ||
        connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        virReportSystemError(errno, _("cannot connect to the device model at '%s'; does xen-stubdom-dm run?"), path);
        VIR_FORCE_CLOSE(fd);
        return -1;
    }
    return fd;
}

StubdomMonitor *
stubdomMonitorOpen(const char *path, GMainContext *context, const StubdomMonitorCallbacks *callbacks, void *opaque,
                   GDestroyNotify destroy)
{
    StubdomMonitor *monitor = NULL;
    bool failed;

    if (StubdomMonitorInitialize() < 0 || !(monitor = virObjectLockableNew(StubdomMonitorClass))) {
        destroy(opaque);
        return NULL;
    }
    monitor->path = g_strdup(path);
    monitor->context = g_main_context_ref(context);
    monitor->callbacks = *callbacks;
    monitor->opaque = opaque;
    monitor->destroy = destroy;
    monitor->passed = -1;
    monitor->input = g_string_new(NULL);
    monitor->output = g_string_new(NULL);
    ignore_value(virCondInit(&monitor->changed));
    if ((monitor->fd = connectTo(path)) < 0) {
        virObjectUnref(monitor);
        return NULL;
    }
    virObjectLock(monitor);
    monitor->readable = attachSource(monitor, G_IO_IN | G_IO_HUP | G_IO_ERR, isReadable);
    failed = sendLocked(monitor, "qmp_capabilities", NULL, ++monitor->lastId, -1) < 0;
    virObjectUnlock(monitor);
    if (failed) {
        stubdomMonitorClose(monitor);
        return NULL;
    }
    return monitor;
}

void
stubdomMonitorClose(StubdomMonitor *monitor)
{
    if (!monitor) {
        return;
    }
    virObjectLock(monitor);
    endLocked(monitor);
    virObjectUnlock(monitor);
    virObjectUnref(monitor);
}

StubdomMonitor *
stubdomMonitorRef(StubdomMonitor *monitor)
{
    return virObjectRef(monitor);
}

void
stubdomMonitorUnref(StubdomMonitor *monitor)
{
    virObjectUnref(monitor);
}

/* --- commands ---------------------------------------------------------------------- */

/* Locked. Waits for an answer to @command, the end of the connection, or the deadline. */
static int
waitLocked(StubdomMonitor *monitor, const char *name, const Command *command, unsigned int seconds)
{
    unsigned long long deadline = 0;

    if (virTimeMillisNow(&deadline) < 0) {
        return -1;
    }
    deadline += seconds * 1000ULL;
    while (!command->answered && !monitor->ended) {
        if (virCondWaitUntil(&monitor->changed, &monitor->parent.lock, deadline) < 0 && errno == ETIMEDOUT) {
            break;
        }
    }
    if (command->answered) {
        return 0;
    }
    if (monitor->ended) {
        virReportError(VIR_ERR_OPERATION_ABORTED, _("the device model ended during '%s'"), name);
    } else {
        virReportError(VIR_ERR_OPERATION_TIMEOUT, _("the device model did not answer '%s' within %u s"), name, seconds);
    }
    return -1;
}

static int
readAnswer(const char *name, virJSONValue *answer, virJSONValue **result)
{
    virJSONValue *error = virJSONValueObjectGetObject(answer, "error");
    const char *reason = error ? virJSONValueObjectGetString(error, "desc") : NULL;

    if (error || !virJSONValueObjectHasKey(answer, "return")) {
        virReportError(VIR_ERR_OPERATION_FAILED, _("the device model refuses '%s': %s"), name,
                       reason ? reason : _("it gives no reason"));
        return -1;
    }
    if (result && virJSONValueObjectRemoveKey(answer, "return", result) < 0) {
        return -1;
    }
    return 0;
}

int
stubdomMonitorCommand(StubdomMonitor *monitor, const char *command, virJSONValue **arguments, unsigned int seconds,
                      virJSONValue **result)
{
    return stubdomMonitorCommandFd(monitor, command, arguments, -1, seconds, result);
}

int
stubdomMonitorCommandFd(StubdomMonitor *monitor, const char *command, virJSONValue **arguments, int fd,
                        unsigned int seconds, virJSONValue **result)
{
    Command waiting = {.answered = false};
    int status = -1;

    virObjectLock(monitor);
    waiting.id = ++monitor->lastId;
    monitor->commands = g_list_prepend(monitor->commands, &waiting);
    if (monitor->ended) {
        virReportError(VIR_ERR_OPERATION_ABORTED, _("there is no connection to the device model for '%s'"), command);
    } else if (sendLocked(monitor, command, arguments, waiting.id, fd) == 0) {
        status = waitLocked(monitor, command, &waiting, seconds);
    }
    monitor->commands = g_list_remove(monitor->commands, &waiting);
    virObjectUnlock(monitor);
    if (arguments) {
        g_clear_pointer(arguments, virJSONValueFree);
    }
    if (status == 0) {
        status = readAnswer(command, waiting.answer, result);
    }
    virJSONValueFree(waiting.answer);
    return status;
}
