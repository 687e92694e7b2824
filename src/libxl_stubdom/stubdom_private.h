/*
 * What the driver keeps of a domain beside its definition
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <libxl.h>
#include <libxl_event.h>

#include "domain_conf.h"
#include "virchrdev.h"

#include "stubdom_death.h"
#include "stubdom_monitor.h"
#include "stubdom_pump.h"

/*
 * A domain that is being started has no domid yet, and is active all the same, so that nobody defines, removes or
 * starts it meanwhile. Its id is from here on up: Xen's end below 0x7ff0.
 */
#define STUBDOM_ID_STARTING 0x10000

struct _StubdomSaveIdentity;

/* Where a PCI device of the host stands that is neither all there nor all gone. */
typedef enum {
    STUBDOM_HOSTDEV_SETTLED = 0,
    STUBDOM_HOSTDEV_ATTACHING, /* some of it may have been done */
    STUBDOM_HOSTDEV_REMOVING,  /* the guest was asked to let go of it */
    STUBDOM_HOSTDEV_LEFT,      /* the guest has let go of it, and it could not be taken back */
} StubdomHostdevState;

/* vm->privateData. All members: domain lock. Those saved in the status file are named so. */
typedef struct {
    uint32_t stubdomain;              /* saved: domid of the stubdomain; 0: none */
    StubdomMonitor *monitor;          /* of xen-stubdom-dm; NULL: not connected */
    StubdomDeath *death;              /* what is heard of the stubdomain's end; NULL: no monitor */
    libxl_evgen_domain_death *watch;  /* of the guest's end; NULL: none */
    bool counted;                     /* among the driver's active domains */
    bool preserved;                   /* saved: has ended and is kept as its on_… action wants */
    bool rebooting;                   /* saved: was asked to power off so that it can be started again */
    bool passthrough;                 /* saved: it can be given devices of the host */
    GHashTable *hostdevs;             /* saved: address (char *) to StubdomHostdevState, of those not settled */
    bool stopping;                    /* saved: is being destroyed */
    char *changing;                   /* saved: device being plugged or unplugged, or NULL (stubdom_unfinished.h) */
    virDomainDeviceType changingKind; /* saved: of it */
    char *endReason;                  /* why the stubdomain ended, or NULL; shown until the next start */
    struct _StubdomSaveIdentity *identity; /* saved: the image its stubdomain was started from; NULL: not known */
    char *savingTo;                        /* saved: image it is being saved to; NULL: it is not */
    bool savingPaused;                     /* saved: whether it was paused before */
    unsigned long long savingFormer;       /* saved: inode of the file that had the image's name before; 0: none */
    bool restored;                         /* saved: it is complete, and has not run since it was restored */
    bool restoredManaged;                  /* saved: from its managed image */
    bool restoredPaused;                   /* saved: and it is to stay paused */
    StubdomPump *pump;                     /* carries its state; NULL: it is neither saved nor restored */
    unsigned long long dataTotal;          /* bytes that carries, about */
    virDomainJobInfo completed;            /* the last save or restore that succeeded; VIR_DOMAIN_JOB_NONE: none */
    int completedOperation;                /* which of the two, virDomainJobOperation */
    virChrdevs *consoles;                  /* who has which console open; immutable pointer, self-locking */
} StubdomDomainPrivate;

/**
 * stubdomPrivate: the private data of @vm.
 */
static inline StubdomDomainPrivate *
stubdomPrivate(const virDomainObj *vm)
{
    return vm->privateData;
}

/**
 * stubdomDomid: the guest's domid, for calls of libxl.
 *
 * To be called for an active domain. Returns false while it has none, that is while it is being started or restarted.
 */
static inline bool
stubdomDomid(const virDomainObj *vm, uint32_t *domid)
{
    *domid = (uint32_t)vm->def->id;
    return vm->def->id >= 0 && vm->def->id < STUBDOM_ID_STARTING;
}

/**
 * stubdomHostdevState, stubdomSetHostdevState: where the device of the host @address (DDDD:BB:DD.F) stands.
 */
StubdomHostdevState stubdomHostdevState(const virDomainObj *vm, const char *address);
void stubdomSetHostdevState(virDomainObj *vm, const char *address, StubdomHostdevState state);

extern const virDomainXMLPrivateDataCallbacks stubdomPrivateCallbacks;
