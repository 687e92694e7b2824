/*
 * The driver's state and its directories
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Domains are kept where every driver of libvirt's keeps them and in libvirt's
 * form.
 */

#include "stubdom_compat.h"

#include "stubdom_conf.h"

#include "configmake.h"
#include "virfile.h"
#include "virpidfile.h"
#include "virxml.h"

#include "stubdom_capabilities.h"
#include "stubdom_domain.h"

#define DIRECTORY_MODE 0700

static int
makeDirectories(StubdomDriver *driver, const char *root)
{
    const char *made[] = {NULL, NULL, NULL};

    driver->configDir = root ? g_strdup_printf("%s/etc", root) : g_strdup(SYSCONFDIR "/libvirt/stubdom");
    driver->stateDir = root ? g_strdup_printf("%s/run", root) : g_strdup(RUNSTATEDIR "/libvirt/stubdom");
    driver->autostartDir = g_strdup_printf("%s/autostart", driver->configDir);
    made[0] = driver->configDir;
    made[1] = driver->autostartDir;
    made[2] = driver->stateDir;
    for (size_t i = 0; i < G_N_ELEMENTS(made); i++) {
        if (g_mkdir_with_parents(made[i], DIRECTORY_MODE) < 0) {
            virReportSystemError(errno, _("cannot create the directory '%s'"), made[i]);
            return -1;
        }
    }
    return 0;
}

static int
readDefaults(StubdomDriver *driver, const char *root)
{
    g_autofree char *file =
        root ? g_strdup_printf("%s/etc/stubdom.conf", root) : g_strdup(SYSCONFDIR "/libvirt/stubdom.conf");

    return stubdomDefaultsRead(file, &driver->defaults);
}

StubdomDriver *
stubdomDriverNew(const char *root)
{
    g_autoptr(StubdomDriver) driver = g_new0(StubdomDriver, 1);

    driver->lockFd = -1;
    if (makeDirectories(driver, root) < 0 || readDefaults(driver, root) < 0 ||
        (driver->lockFd = virPidFileAcquire(driver->stateDir, "driver", false, getpid())) < 0 ||
        !(driver->caps = stubdomCapabilitiesNew()) || !(driver->xmlopt = stubdomDomainXMLOptionNew(driver)) ||
        !(driver->domains = virDomainObjListNew()) || !(driver->events = virObjectEventStateNew()) ||
        virDomainObjListLoadAllConfigs(driver->domains, driver->configDir, driver->autostartDir, false, driver->xmlopt,
                                       NULL, NULL) < 0) {
        return NULL;
    }
    return g_steal_pointer(&driver);
}

void
stubdomDriverFree(StubdomDriver *driver)
{
    if (!driver) {
        return;
    }
    virObjectUnref(driver->domains);
    virObjectUnref(driver->events);
    virObjectUnref(driver->xmlopt);
    virObjectUnref(driver->caps);
    if (driver->lockFd >= 0) {
        virPidFileRelease(driver->stateDir, "driver", driver->lockFd);
    }
    stubdomDefaultsClear(&driver->defaults);
    g_free(driver->configDir);
    g_free(driver->autostartDir);
    g_free(driver->stateDir);
    g_free(driver);
}
