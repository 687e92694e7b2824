/*
 * The driver's own event loop
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libxl tells us which file descriptors and times it waits for; they become
 * sources of the thread's GMainContext. libvirt's own event loop is left
 * alone: in an embedded driver it belongs to the application, and a slow
 * xenstored would stop all of libvirtd.
 */

#include "stubdom_compat.h"

#include "stubdom_events.h"

#include <glib-unix.h>
#include <poll.h>

#include "vireventthread.h"

#include "stubdom_libxl.h"

VIR_LOG_INIT("stubdom.events");

struct _StubdomEvents {
    virEventThread *thread; /* immutable */
    GMainContext *context;  /* immutable, self-locking */
    StubdomLibxl *libxl;    /* set once, atomically; NULL: no Xen */
    StubdomEventsFunc func; /* immutable */
    void *opaque;           /* immutable */
};

/* Something libxl waits for. */
typedef struct {
    StubdomEvents *events; /* immutable */
    void *forLibxl;        /* immutable */
    int fd;                /* immutable */
    GSource *source;       /* under libxl's lock, in which the hooks are called */
} EventHook;

/* --- file descriptors ----------------------------------------------------------- */

static gboolean
fdReady(gint fd, GIOCondition condition, gpointer opaque)
{
    EventHook *hook = opaque;
    StubdomLibxl *libxl = g_atomic_pointer_get(&hook->events->libxl);
    short events = (short)((condition & G_IO_IN ? POLLIN : 0) | (condition & G_IO_OUT ? POLLOUT : 0) |
                           (condition & G_IO_PRI ? POLLPRI : 0) | (condition & G_IO_ERR ? POLLERR : 0) |
                           (condition & G_IO_HUP ? POLLHUP : 0));

    if (libxl) { /* otherwise it has only begun to be set up, and this comes again */
        libxl_osevent_occurred_fd(libxl->ctx, hook->forLibxl, fd, 0, events);
    }
    return G_SOURCE_CONTINUE;
}

static void
attachFd(EventHook *hook, short events)
{
    GIOCondition condition = (events & POLLIN ? G_IO_IN : 0) | (events & POLLOUT ? G_IO_OUT : 0) |
                             (events & POLLPRI ? G_IO_PRI : 0) | G_IO_ERR | G_IO_HUP;
    EventHook *copy = g_new0(EventHook, 1);

    /* The source has a copy, as it may be running while libxl takes it back. */
    *copy = *hook;
    hook->source = events ? g_unix_fd_source_new(hook->fd, condition) : NULL;
    if (!hook->source) {
        g_free(copy);
        return;
    }
    g_source_set_callback(hook->source, G_SOURCE_FUNC(fdReady), copy, g_free);
    g_source_attach(hook->source, hook->events->context);
}

static void
detach(EventHook *hook)
{
    if (hook->source) {
        g_source_destroy(hook->source);
        g_source_unref(hook->source);
        hook->source = NULL;
    }
}

static int
fdRegister(void *opaque, int fd, void **forUs, short events, void *forLibxl)
{
    EventHook *hook = g_new0(EventHook, 1);

    hook->events = opaque;
    hook->forLibxl = forLibxl;
    hook->fd = fd;
    attachFd(hook, events);
    *forUs = hook;
    return 0;
}

static int
fdModify(void *opaque, int fd, void **forUs, short events)
{
    EventHook *hook = *forUs;

    detach(hook);
    attachFd(hook, events);
    return 0;
}

static void
fdDeregister(void *opaque, int fd, void *forUs)
{
    EventHook *hook = forUs;

    detach(hook);
    g_free(hook);
}

/* --- times ------------------------------------------------------------------------ */

/* libxl takes the registration for gone once this is called, and frees nothing: the source frees the hook. */
static gboolean
timeReached(gpointer opaque)
{
    EventHook *hook = opaque;

    libxl_osevent_occurred_timeout(hook->events->libxl->ctx, hook->forLibxl);
    return G_SOURCE_REMOVE;
}

static void
freeTime(gpointer opaque)
{
    g_free(opaque);
}

static int
timeRegister(void *opaque, void **forUs, struct timeval when, void *forLibxl)
{
    EventHook *hook = g_new0(EventHook, 1);
    gint64 left = (gint64)when.tv_sec * G_USEC_PER_SEC + when.tv_usec - g_get_real_time();

    hook->events = opaque;
    hook->forLibxl = forLibxl;
    hook->source = g_timeout_source_new((guint)CLAMP(left / 1000, 0, G_MAXINT));
    g_source_set_callback(hook->source, timeReached, hook, freeTime);
    *forUs = hook->source;
    g_source_attach(hook->source, hook->events->context);
    g_source_unref(hook->source);
    return 0;
}

/* "Now" is the only time libxl changes one to, and the source is there until libxl_osevent_occurred_timeout() returns.
 */
static int
timeModify(void *opaque, void **forUs, struct timeval when)
{
    g_source_set_ready_time(*forUs, 0);
    return 0;
}

static void
timeDeregister(void *opaque, void *forUs)
{
}

static const libxl_osevent_hooks hooks = {
    .fd_register = fdRegister,
    .fd_modify = fdModify,
    .fd_deregister = fdDeregister,
    .timeout_register = timeRegister,
    .timeout_modify = timeModify,
    .timeout_deregister = timeDeregister,
};

/* --- libxl's events ----------------------------------------------------------------- */

static void
eventOccurs(void *opaque, libxl_event *event)
{
    StubdomEvents *events = opaque;

    events->func(events, event, events->opaque);
}

static void
disaster(void *opaque, libxl_event_type type, const char *message, int number)
{
    VIR_ERROR(_("events of domains are lost: %s: %s"), message, g_strerror(number));
}

static const libxl_event_hooks eventHooks = {
    .event_occurs_mask = LIBXL_EVENTMASK_ALL,
    .event_occurs = eventOccurs,
    .disaster = disaster,
};

StubdomEvents *
stubdomEventsNew(StubdomEventsFunc func, void *opaque)
{
    StubdomEvents *events = g_new0(StubdomEvents, 1);
    StubdomLibxl *libxl;

    events->func = func;
    events->opaque = opaque;
    if (!(events->thread = virEventThreadNew("stubdom-events"))) {
        g_free(events);
        return NULL;
    }
    events->context = g_main_context_ref(virEventThreadGetContext(events->thread));
    if ((libxl = stubdomLibxlOpenInLoop(&hooks, events))) {
        libxl_event_register_callbacks(libxl->ctx, &eventHooks, events);
        g_atomic_pointer_set(&events->libxl, libxl);
    } else {
        virResetLastError();
    }
    return events;
}

void
stubdomEventsFree(StubdomEvents *events)
{
    if (!events) {
        return;
    }
    g_object_unref(events->thread); /* joins it: from here on no source runs */
    stubdomLibxlClose(events->libxl);
    g_main_context_unref(events->context);
    g_free(events);
}

GMainContext *
stubdomEventsContext(StubdomEvents *events)
{
    return events->context;
}

int
stubdomEventsWatch(StubdomEvents *events, uint32_t domid, libxl_evgen_domain_death **watch)
{
    int rc;

    if (!events->libxl) {
        virReportError(VIR_ERR_OPERATION_UNSUPPORTED, "%s", _("this is no Xen host"));
        return -1;
    }
    if ((rc = libxl_evenable_domain_death(events->libxl->ctx, domid, 0, watch)) != 0) {
        stubdomLibxlError(events->libxl, rc, _("the end of the domain cannot be watched for"));
        return -1;
    }
    return 0;
}

void
stubdomEventsUnwatch(StubdomEvents *events, libxl_evgen_domain_death **watch)
{
    if (*watch) {
        libxl_evdisable_domain_death(events->libxl->ctx, *watch);
        *watch = NULL;
    }
}

void
stubdomEventsFreeEvent(StubdomEvents *events, libxl_event *event)
{
    libxl_event_free(events->libxl->ctx, event);
}
