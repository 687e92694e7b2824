/*
 * What a device model says of its stubdomain's end
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * xen-stubdom-dm sends an event and then lets the guest crash, of which libxl
 * tells. The two arrive on different ways, so who deals with the crash asks
 * here, and waits a little. Its other events are handed on; nothing else is
 * done from here.
 */

#include "stubdom_compat.h"

#include "stubdom_death.h"

#include "virstring.h"

#include "stubdom_graphics_event.h"
#include "stubdom_unplug.h"

VIR_LOG_INIT("stubdom.death");

/* Bytes of a reason that are kept. */
#define REASON_MAX 512

struct _StubdomDeath {
    gatomicrefcount references;
    StubdomDriver *driver; /* immutable */
    uint32_t domid;        /* immutable: of the guest */
    GMutex lock;
    GCond changed;
    char *reason; /* lock: or NULL */
};

StubdomDeath *
stubdomDeathRef(StubdomDeath *death)
{
    g_atomic_ref_count_inc(&death->references);
    return death;
}

void
stubdomDeathUnref(StubdomDeath *death)
{
    if (death && g_atomic_ref_count_dec(&death->references)) {
        g_mutex_clear(&death->lock);
        g_cond_clear(&death->changed);
        g_free(death->reason);
        g_free(death);
    }
}

/* The first one is the cause. */
static void
keepReason(StubdomDeath *death, const char *reason)
{
    g_mutex_lock(&death->lock);
    if (!death->reason) {
        death->reason = g_strndup(reason, REASON_MAX);
        g_cond_broadcast(&death->changed);
    }
    g_mutex_unlock(&death->lock);
}

static void
monitorEvent(StubdomMonitor *monitor, const char *name, virJSONValue *data, void *opaque)
{
    StubdomDeath *death = opaque;
    const char *cause = data ? virJSONValueObjectGetString(data, "reason") : NULL;
    g_autofree char *reason = NULL;

    if (STRNEQ(name, "STUBDOMAIN_DEATH")) {
        stubdomGraphicsEvent(death->driver, death->domid, name, data);
        stubdomUnplugEvent(death->driver, death->domid, name, data);
        return;
    }
    reason = g_strdup_printf(_("its stubdomain ended: %s"), cause ? cause : _("no reason is known"));
    VIR_WARN("domain %u: %s", death->domid, reason);
    keepReason(death, reason);
}

/* Of a guest that is destroyed, too: what it means is only asked when the guest has crashed. */
static void
monitorEnd(StubdomMonitor *monitor, void *opaque)
{
    StubdomDeath *death = opaque;

    VIR_INFO("the device model of domain %u closed its monitor", death->domid);
    keepReason(death, _("its device model in dom0, xen-stubdom-dm, ended"));
}

static void
unref(void *opaque)
{
    stubdomDeathUnref(opaque);
}

StubdomMonitor *
stubdomDeathMonitor(StubdomDriver *driver, uint32_t domid, StubdomDeath **death)
{
    static const StubdomMonitorCallbacks callbacks = {.event = monitorEvent, .end = monitorEnd};
    g_autofree char *path = g_strdup_printf("%s/%u/qmp", driver->monitorDir, domid);
    g_autoptr(StubdomDeath) made = g_new0(StubdomDeath, 1);
    StubdomMonitor *monitor;

    g_atomic_ref_count_init(&made->references);
    made->driver = driver;
    made->domid = domid;
    g_mutex_init(&made->lock);
    g_cond_init(&made->changed);
    if ((monitor = stubdomMonitorOpen(path, stubdomEventsContext(driver->watcher), &callbacks, stubdomDeathRef(made),
                                      unref))) {
        *death = g_steal_pointer(&made);
    }
    return monitor;
}

char *
stubdomDeathReason(StubdomDeath *death, unsigned int milliseconds)
{
    gint64 end = g_get_monotonic_time() + milliseconds * G_TIME_SPAN_MILLISECOND;
    char *reason;

    g_mutex_lock(&death->lock);
    while (!death->reason && milliseconds && g_cond_wait_until(&death->changed, &death->lock, end)) {
    }
    reason = g_strdup(death->reason);
    g_mutex_unlock(&death->lock);
    return reason;
}
