/*
 * Domains, as Xen and xenstore have them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The few questions and words about domains that need no state of ours.
 */

#include "config.h"

#include "dm_domain.h"

#include <errno.h>
#include <string.h>

#include <glib/gi18n-lib.h>
#include <xendevicemodel.h>

#include "dm_error.h"
#include "protocol/stubdom_paths.h"

gboolean
dmDomainAlive(DmLibxl *libxl, guint guest, gboolean *paused)
{
    libxl_dominfo info;
    gboolean alive;

    *paused = FALSE;
    if (!dmLibxlDomainInfo(libxl, guest, &info)) {
        return FALSE;
    }
    alive = !info.dying;
    *paused = alive && info.paused;
    libxl_dominfo_dispose(&info);
    return alive;
}

gboolean
dmDomainSuspended(DmLibxl *libxl, guint guest)
{
    libxl_dominfo info;
    gboolean suspended;

    if (!dmLibxlDomainInfo(libxl, guest, &info)) {
        return FALSE;
    }
    suspended = !info.dying && info.shutdown && info.shutdown_reason == LIBXL_SHUTDOWN_REASON_SUSPEND;
    libxl_dominfo_dispose(&info);
    return suspended;
}

void
dmDomainCrash(guint guest)
{
    xendevicemodel_handle *handle = xendevicemodel_open(NULL, 0);

    if (!handle || (xendevicemodel_shutdown(handle, (domid_t)guest, LIBXL_SHUTDOWN_REASON_CRASH) && errno != ESRCH)) {
        g_printerr("xen-stubdom-dm: guest %u: cannot report its crash to Xen: %s\n", guest, g_strerror(errno));
    }
    if (handle) {
        xendevicemodel_close(handle);
    }
}

char *
dmDomainUuid(DmStore *store, guint guest, GError **error)
{
    g_autofree char *domain = stubdomPathDomain(guest);
    g_autofree char *path = g_strdup_printf("%s/vm", domain);
    g_autofree char *vm = dmStoreRead(store, path, NULL, error);

    if (!vm) {
        return NULL;
    }
    if (!g_str_has_prefix(vm, "/vm/") || !g_uuid_string_is_valid(vm + 4)) {
        g_set_error(error, DM_ERROR, DM_ERROR_XENSTORE, _("guest %u has no UUID: '%s' is '%s'"), guest, path, vm);
        return NULL;
    }
    return g_strdup(vm + 4);
}

char *
dmDomainDescribeEnd(const libxl_dominfo *info)
{
    if (!info) {
        return g_strdup(_("it was destroyed"));
    }
    if (!info->shutdown) {
        return g_strdup(_("it is being destroyed"));
    }
    switch (info->shutdown_reason) {
    case LIBXL_SHUTDOWN_REASON_CRASH:
    case LIBXL_SHUTDOWN_REASON_WATCHDOG:
        return g_strdup(_("it crashed"));
    case LIBXL_SHUTDOWN_REASON_POWEROFF:
        return g_strdup(_("it powered off"));
    default:
        return g_strdup_printf(_("it shut down with reason %d"), (int)info->shutdown_reason);
    }
}
