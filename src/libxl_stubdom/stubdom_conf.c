/*
 * The driver's state and its directories
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Domains are kept where every driver of libvirt's keeps them and in libvirt's
 * form. An embedded driver has everything
 * of its own below its root; where xen-stubdom-dm and libxl put things is
 * theirs to say, and the environment's in tests.
 */

#include "stubdom_compat.h"

#include "stubdom_conf.h"

#include <unistd.h>

#include "configmake.h"
#include "virfile.h"
#include "virpidfile.h"
#include "virthread.h"
#include "virxml.h"

#include "stubdom_capabilities.h"
#include "stubdom_domain.h"
#include "stubdom_end.h"
#include "stubdom_managed.h"

VIR_LOG_INIT("stubdom.conf");

#define DIRECTORY_MODE 0700
#define MONITOR_DIR "/run/xen-stubdom"
#define XEN_LOG_DIR "/var/log/xen"

/* A running driver takes nothing from the environment. */
static char *
place(const StubdomDriver *driver, const char *variable, const char *normal)
{
    const char *value = driver->embedded ? g_getenv(variable) : NULL;

    return g_strdup(value ? value : normal);
}

static int
makeDirectories(StubdomDriver *driver, const char *root)
{
    const char *made[] = {NULL, NULL, NULL, NULL, NULL};

    driver->embedded = root != NULL;
    driver->configDir = root ? g_strdup_printf("%s/etc", root) : g_strdup(SYSCONFDIR "/libvirt/stubdom");
    driver->stateDir = root ? g_strdup_printf("%s/run", root) : g_strdup(RUNSTATEDIR "/libvirt/stubdom");
    driver->dumpDir = g_strdup(driver->defaults.autoDumpPath);
    if (!driver->dumpDir) {
        driver->dumpDir = root ? g_strdup_printf("%s/dump", root) : g_strdup(LOCALSTATEDIR "/lib/libvirt/stubdom/dump");
    }
    driver->saveDir = root ? g_strdup_printf("%s/save", root) : g_strdup(LOCALSTATEDIR "/lib/libvirt/stubdom/save");
    driver->imageDir = place(driver, "STUBDOM_IMAGE_DIR", STUBDOM_IMAGES);
    driver->autostartDir = g_strdup_printf("%s/autostart", driver->configDir);
    driver->sysDir = root ? g_strdup_printf("%s/sys", root) : g_strdup("/sys");
    driver->monitorDir = place(driver, "STUBDOM_RUN_DIR", MONITOR_DIR);
    driver->xenLogDir = place(driver, "STUBDOM_XEN_LOG_DIR", XEN_LOG_DIR);
    made[0] = driver->configDir;
    made[1] = driver->autostartDir;
    made[2] = driver->stateDir;
    made[3] = driver->dumpDir;
    made[4] = driver->saveDir;
    for (size_t i = 0; i < G_N_ELEMENTS(made); i++) {
        if (g_mkdir_with_parents(made[i], DIRECTORY_MODE) < 0) {
            virReportSystemError(errno, _("cannot create the directory '%s'"), made[i]);
            return -1;
        }
    }
    return 0;
}

/* Without Xen there is a driver all the same. */
static int
openXen(StubdomDriver *driver)
{
    if (!(driver->libxl = stubdomLibxlOpen())) {
        VIR_INFO("%s", virGetLastErrorMessage());
        virResetLastError();
    }
    return (driver->watcher = stubdomEventsNew(stubdomEndOccurred, driver)) ? 0 : -1;
}

/* libvirt writes a file beside the one it replaces; a libvirtd that was killed then leaves it. We have the lock. */
static void
removeHalfWritten(const char *directory)
{
    g_autoptr(GDir) entries = g_dir_open(directory, 0, NULL);
    const char *name;

    while (entries && (name = g_dir_read_name(entries))) {
        g_autofree char *file = g_build_filename(directory, name, NULL);

        if (g_str_has_suffix(name, ".xml.new") && unlink(file) < 0) {
            VIR_WARN("cannot remove the file '%s': %s", file, g_strerror(errno));
        }
    }
}

/* The status of running domains first: it has their live definition. */
static int
loadDomains(StubdomDriver *driver)
{
    removeHalfWritten(driver->stateDir);
    removeHalfWritten(driver->configDir);
    if (virDomainObjListLoadAllConfigs(driver->domains, driver->stateDir, NULL, true, driver->xmlopt, NULL, NULL) < 0 ||
        virDomainObjListLoadAllConfigs(driver->domains, driver->configDir, driver->autostartDir, false, driver->xmlopt,
                                       NULL, NULL) < 0) {
        return -1;
    }
    stubdomManagedLoad(driver);
    return 0;
}

static int
readDefaults(StubdomDriver *driver, const char *root)
{
    g_autofree char *file =
        root ? g_strdup_printf("%s/etc/stubdom.conf", root) : g_strdup(SYSCONFDIR "/libvirt/stubdom.conf");

    return stubdomDefaultsRead(file, &driver->defaults);
}

static int
makePortRanges(StubdomDriver *driver)
{
    const StubdomDisplayDefaults *display = &driver->defaults.display;

    driver->displayPorts =
        virPortAllocatorRangeNew(_("VNC"), (unsigned short)display->portMin, (unsigned short)display->portMax);
    driver->websocketPorts = virPortAllocatorRangeNew(_("VNC websocket"), (unsigned short)display->websocketMin,
                                                      (unsigned short)display->websocketMax);
    return driver->displayPorts && driver->websocketPorts ? 0 : -1;
}

StubdomDriver *
stubdomDriverNew(const char *root, virStateInhibitCallback inhibit, void *opaque)
{
    g_autoptr(StubdomDriver) driver = g_new0(StubdomDriver, 1);

    driver->lockFd = -1;
    driver->inhibit = inhibit;
    driver->inhibitOpaque = opaque;
    if (virMutexInit(&driver->lock) < 0 || virMutexInit(&driver->addLock) < 0 || virCondInit(&driver->idle) < 0) {
        virReportSystemError(errno, "%s", _("cannot make a lock"));
        return NULL;
    }
    if (readDefaults(driver, root) < 0 || makePortRanges(driver) < 0 || makeDirectories(driver, root) < 0 ||
        (driver->lockFd = virPidFileAcquire(driver->stateDir, "driver", false, getpid())) < 0 ||
        !(driver->domains = virDomainObjListNew()) || !(driver->events = virObjectEventStateNew()) ||
        openXen(driver) < 0 || !(driver->caps = stubdomCapabilitiesNew(driver->libxl)) ||
        !(driver->xmlopt = stubdomDomainXMLOptionNew(driver)) || loadDomains(driver) < 0) {
        return NULL;
    }
    return g_steal_pointer(&driver);
}

static void
waitForWorkers(StubdomDriver *driver)
{
    virMutexLock(&driver->lock);
    driver->ending = true;
    while (driver->workers) {
        ignore_value(virCondWait(&driver->idle, &driver->lock));
    }
    virMutexUnlock(&driver->lock);
}

void
stubdomDriverFree(StubdomDriver *driver)
{
    if (!driver) {
        return;
    }
    waitForWorkers(driver);
    stubdomEventsFree(driver->watcher); /* the last that looks at domains by itself */
    virObjectUnref(driver->domains);
    stubdomLibxlClose(driver->libxl);
    virObjectUnref(driver->events);
    virObjectUnref(driver->xmlopt);
    virObjectUnref(driver->caps);
    if (driver->lockFd >= 0) {
        virPidFileRelease(driver->stateDir, "driver", driver->lockFd);
    }
    virMutexDestroy(&driver->lock);
    virMutexDestroy(&driver->addLock);
    virCondDestroy(&driver->idle);
    virPortAllocatorRangeFree(driver->displayPorts);
    virPortAllocatorRangeFree(driver->websocketPorts);
    stubdomDefaultsClear(&driver->defaults);
    g_free(driver->configDir);
    g_free(driver->autostartDir);
    g_free(driver->stateDir);
    g_free(driver->dumpDir);
    g_free(driver->saveDir);
    g_free(driver->imageDir);
    g_free(driver->monitorDir);
    g_free(driver->xenLogDir);
    g_free(driver->sysDir);
    g_free(driver);
}

int
stubdomDriverHasXen(const StubdomDriver *driver)
{
    if (!driver->libxl) {
        virReportError(VIR_ERR_OPERATION_UNSUPPORTED, "%s",
                       _("this is no Xen host, or xenstored did not run when libvirtd was started: domains can be "
                         "defined, and not run"));
        return -1;
    }
    return 0;
}

void
stubdomDriverAddActive(StubdomDriver *driver)
{
    bool first;

    virMutexLock(&driver->lock);
    first = driver->active++ == 0;
    virMutexUnlock(&driver->lock);
    if (first && driver->inhibit) {
        driver->inhibit(true, driver->inhibitOpaque);
    }
}

void
stubdomDriverRemoveActive(StubdomDriver *driver)
{
    bool last;

    virMutexLock(&driver->lock);
    last = --driver->active == 0;
    virMutexUnlock(&driver->lock);
    if (last && driver->inhibit) {
        driver->inhibit(false, driver->inhibitOpaque);
    }
}

bool
stubdomDriverIsEnding(StubdomDriver *driver)
{
    bool ending;

    virMutexLock(&driver->lock);
    ending = driver->ending;
    virMutexUnlock(&driver->lock);
    return ending;
}

/* --- threads ------------------------------------------------------------------- */

typedef struct {
    StubdomDriver *driver;
    StubdomDriverFunc func;
    void *opaque;
} Worker;

static void
workerDone(StubdomDriver *driver)
{
    virMutexLock(&driver->lock);
    driver->workers--;
    virCondBroadcast(&driver->idle);
    virMutexUnlock(&driver->lock);
}

static void
workerRun(void *opaque)
{
    g_autofree Worker *worker = opaque;

    worker->func(worker->driver, worker->opaque);
    workerDone(worker->driver);
}

int
stubdomDriverRun(StubdomDriver *driver, const char *name, StubdomDriverFunc func, void *opaque)
{
    Worker *worker = NULL;
    virThread thread;
    bool ending;

    virMutexLock(&driver->lock);
    ending = driver->ending;
    driver->workers += ending ? 0 : 1;
    virMutexUnlock(&driver->lock);
    if (ending) {
        return -1;
    }
    worker = g_new0(Worker, 1);
    worker->driver = driver;
    worker->func = func;
    worker->opaque = opaque;
    if (virThreadCreateFull(&thread, false, workerRun, name, true, worker) < 0) {
        VIR_ERROR(_("cannot start the thread '%s': %s"), name, g_strerror(errno));
        g_free(worker);
        workerDone(driver);
        return -1;
    }
    return 0;
}
