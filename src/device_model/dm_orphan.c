/*
 * A guest whose device model is gone
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Three waits, one after the other: until the stubdomain's death is known to
 * be its own; for the toolstack's word about its save; for the toolstack to
 * destroy the guest itself, because two destructions at a time disturb each
 * other's hotplug scripts.
 */

#include "config.h"

#include "dm_orphan.h"

#include <signal.h>

#include <glib/gi18n-lib.h>

#include "dm_domain.h"

/*
 * Milliseconds between the end of a stubdomain that somebody destroyed and the verdict that the guest is not being
 * destroyed with it; longer when the guest is paused, which is how libxl begins to destroy one.
 */
#define GRACE 700
#define GRACE_PAUSED 30000
/* Milliseconds a toolstack has to notice that the save failed (libxl hears it at once, and gives up). */
#define WORD_TIMEOUT 30000
/* Milliseconds it has then to destroy the guest itself. */
#define DESTROY_TIMEOUT 5000

/* All members: main loop only. */
struct _DmOrphan {
    DmLibxl *libxl;
    guint guest;
    char *reason;
    DmOrphanFunc func;
    DmOrphanSavedFunc saved;
    gpointer opaque;
    guint timer; /* source */
    gboolean reported;
    gboolean givenUp;
    gboolean busy; /* libxl destroys the guest */
};

static void
destroyed(const GError *error, gpointer opaque)
{
    DmOrphan *orphan = opaque;

    orphan->busy = FALSE;
    /* libxl also complains of the stubdomain, which is gone. */
    if (error && dmDomainSuspended(orphan->libxl, orphan->guest)) {
        g_printerr("xen-stubdom-dm: guest %u: %s\n", orphan->guest, error->message);
    }
}

static void
destroyGuest(DmOrphan *orphan)
{
    DmLibxlOperation *operation;

    if (orphan->busy || !dmDomainSuspended(orphan->libxl, orphan->guest)) {
        return;
    }
    g_printerr("xen-stubdom-dm: guest %u: it is suspended and cannot go on without its device model: it is destroyed\n",
               orphan->guest);
    orphan->busy = TRUE;
    operation = dmLibxlBegin(orphan->libxl, _("destroy the guest"), destroyed, orphan);
    dmLibxlStarted(operation,
                   libxl_domain_destroy(dmLibxlContext(orphan->libxl), orphan->guest, dmLibxlHow(operation)));
}

static gboolean
waitedForDestruction(gpointer opaque)
{
    DmOrphan *orphan = opaque;

    orphan->timer = 0;
    destroyGuest(orphan);
    return G_SOURCE_REMOVE;
}

static gboolean
waitedForWord(gpointer opaque)
{
    DmOrphan *orphan = opaque;

    orphan->timer = 0;
    if (!orphan->saved(orphan->opaque)) {
        destroyGuest(orphan);
    }
    return G_SOURCE_REMOVE;
}

static void
awaitDestruction(DmOrphan *orphan)
{
    g_clear_handle_id(&orphan->timer, g_source_remove);
    orphan->timer = g_timeout_add(DESTROY_TIMEOUT, waitedForDestruction, orphan);
}

/* Nobody else is destroying the guest. */
static void
decide(DmOrphan *orphan)
{
    gboolean suspended = dmDomainSuspended(orphan->libxl, orphan->guest);

    orphan->reported = TRUE;
    orphan->func(orphan->reason, suspended, orphan->opaque);
    dmDomainCrash(orphan->guest);
    /* Asked again: it may have been suspended at this moment. */
    if (!dmDomainSuspended(orphan->libxl, orphan->guest)) {
        return;
    }
    if (orphan->givenUp) {
        awaitDestruction(orphan);
    } else {
        orphan->timer = g_timeout_add(WORD_TIMEOUT, waitedForWord, orphan);
    }
}

static gboolean
graceOver(gpointer opaque)
{
    DmOrphan *orphan = opaque;
    gboolean paused;

    orphan->timer = 0;
    if (dmDomainAlive(orphan->libxl, orphan->guest, &paused)) {
        decide(orphan);
    }
    return G_SOURCE_REMOVE;
}

DmOrphan *
dmOrphanNew(DmLibxl *libxl, guint guest, const char *reason, gboolean byItself, gboolean paused, DmOrphanFunc func,
            DmOrphanSavedFunc saved, gpointer opaque)
{
    DmOrphan *orphan = g_new0(DmOrphan, 1);

    orphan->libxl = libxl;
    orphan->guest = guest;
    orphan->reason = g_strdup(reason);
    orphan->func = func;
    orphan->saved = saved;
    orphan->opaque = opaque;
    if (byItself) {
        decide(orphan);
    } else {
        orphan->timer = g_timeout_add(paused ? GRACE_PAUSED : GRACE, graceOver, orphan);
    }
    return orphan;
}

void
dmOrphanGivenUp(DmOrphan *orphan)
{
    if (!orphan || orphan->givenUp) {
        return;
    }
    orphan->givenUp = TRUE;
    if (orphan->reported && !orphan->busy && dmDomainSuspended(orphan->libxl, orphan->guest)) {
        awaitDestruction(orphan);
    }
}

void
dmOrphanFree(DmOrphan *orphan)
{
    if (!orphan) {
        return;
    }
    g_clear_handle_id(&orphan->timer, g_source_remove);
    while (orphan->busy) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_free(orphan->reason);
    g_free(orphan);
}

void
dmOrphanEnd(guint guest)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DmLibxl) libxl = dmLibxlOpen(&error);
    DmOrphan orphan = {.libxl = libxl, .guest = guest};

    (void)signal(SIGHUP, SIG_IGN); /* libxl's word to the guest's device model, which may be us */
    dmDomainCrash(guest);
    if (!libxl) {
        g_printerr("xen-stubdom-dm: guest %u: %s\n", guest, error->message);
        return;
    }
    destroyGuest(&orphan);
    while (orphan.busy) {
        g_main_context_iteration(NULL, TRUE);
    }
}
