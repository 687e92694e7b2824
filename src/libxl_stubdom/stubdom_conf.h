/*
 * The driver's state and its directories
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "capabilities.h"
#include "domain_conf.h"
#include "driver.h"
#include "object_event.h"
#include "virdomainobjlist.h"
#include "virportallocator.h"

#include "stubdom_events.h"
#include "stubdom_libxl.h"
#include "stubdom_defaults.h"

typedef struct {
    char *configDir;             /* immutable: XML of persistent domains */
    char *autostartDir;          /* immutable: links to those of them that are to be started */
    char *stateDir;              /* immutable: what does not outlive a boot, NAME.xml of running domains among it */
    char *dumpDir;               /* immutable: core dumps of on_crash */
    char *saveDir;               /* immutable: NAME.save are the images domains are started from next */
    char *imageDir;              /* immutable: NAME/image.json describe stubdomain images */
    char *monitorDir;            /* immutable: DOMID/qmp are the sockets of xen-stubdom-dm */
    char *xenLogDir;             /* immutable: qemu-dm-NAME.log are libxl's logs of device models */
    char *sysDir;                /* immutable: sysfs */
    bool embedded;               /* immutable */
    StubdomDefaults defaults;    /* immutable */
    int lockFd;                  /* immutable: held as long as the driver is there */
    virCaps *caps;               /* immutable */
    virDomainXMLOption *xmlopt;  /* immutable */
    virDomainObjList *domains;   /* immutable pointer, self-locking */
    virObjectEventState *events; /* immutable pointer, self-locking: events for clients */

    virPortAllocatorRange *displayPorts;   /* immutable: those a display is given that names none */
    virPortAllocatorRange *websocketPorts; /* immutable: the same for its websocket */

    StubdomLibxl *libxl;    /* immutable pointer, self-locking: short questions only; NULL: no Xen */
    StubdomEvents *watcher; /* immutable pointer, self-locking: the driver's event loop */

    virStateInhibitCallback inhibit; /* immutable: keeps libvirtd from ending for want of clients; may be NULL */
    void *inhibitOpaque;             /* immutable */

    virMutex addLock; /* outermost: domains are added to the list one at a time */
    virMutex lock;    /* innermost: nothing else is locked while it is held */
    virCond idle;
    unsigned int active;  /* lock: domains that run or are being started */
    unsigned int workers; /* lock: threads of stubdomDriverRun() */
    bool ending;          /* lock: no more of them */
    int nextStartId;      /* lock */
} StubdomDriver;

/**
 * stubdomDriverNew: the driver's state, with its directories made and its domains loaded.
 * @root: directory everything is put below, or NULL for the places of the system
 * @inhibit: called with true when the first domain becomes active and with false after the last; or NULL
 *
 * Running domains are not looked for yet (stubdom_reconnect.h). Without Xen the driver comes up, and what needs Xen
 * reports that.
 *
 * Returns it, to be freed with stubdomDriverFree(), or NULL with an error reported; a second driver with the same @root
 * is one.
 */
StubdomDriver *stubdomDriverNew(const char *root, virStateInhibitCallback inhibit, void *opaque);

/**
 * stubdomDriverFree: undoes stubdomDriverNew(), also one that was interrupted. Waits for the driver's threads. Domains
 * that run go on. @driver may be NULL.
 */
void stubdomDriverFree(StubdomDriver *driver);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(StubdomDriver, stubdomDriverFree)

/**
 * stubdomDriverHasXen: whether domains can be run here.
 *
 * Returns 0, or -1 with VIR_ERR_OPERATION_UNSUPPORTED reported.
 */
int stubdomDriverHasXen(const StubdomDriver *driver);

/**
 * stubdomDriverAddActive, stubdomDriverRemoveActive: count the active domains, and keep libvirtd from ending while
 * there is one.
 */
void stubdomDriverAddActive(StubdomDriver *driver);
void stubdomDriverRemoveActive(StubdomDriver *driver);

/**
 * stubdomDriverIsEnding: whether threads should give up what is not urgent.
 */
bool stubdomDriverIsEnding(StubdomDriver *driver);

typedef void (*StubdomDriverFunc)(StubdomDriver *driver, void *opaque);

/**
 * stubdomDriverRun: calls @func in a thread of its own, for what may wait.
 * @name: of the thread
 * @opaque: owned by @func from now on
 *
 * stubdomDriverFree() waits for it.
 *
 * Returns 0, or -1 if there can be no more threads; then @opaque stays the caller's.
 */
int stubdomDriverRun(StubdomDriver *driver, const char *name, StubdomDriverFunc func, void *opaque);
