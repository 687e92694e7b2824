/*
 * A guest and its stubdomain in Xen
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Both are one thing for users, so what is done to one is done to the other.
 * These functions know domids, and may take long.
 */

#pragma once

#include "domain_conf.h"

#include "stubdom_libxl.h"

typedef enum {
    STUBDOM_GUEST_UNKNOWN, /* Xen does not answer */
    STUBDOM_GUEST_GONE,    /* there is no such domain, or another one with its domid */
    STUBDOM_GUEST_RUNNING,
    STUBDOM_GUEST_PAUSED,
    STUBDOM_GUEST_SHUTDOWN, /* it has ended and waits for the toolstack */
} StubdomGuestLife;

/**
 * stubdomGuestLife: what has become of a domain. A short question.
 * @uuid: the domain's, or NULL to take any
 */
StubdomGuestLife stubdomGuestLife(StubdomLibxl *libxl, uint32_t domid, const unsigned char *uuid);

/**
 * stubdomGuestRefresh: gives a domain the state its guest has in Xen, if both are running or paused.
 * @vm: locked
 */
void stubdomGuestRefresh(virDomainObj *vm, StubdomGuestLife life);

/**
 * stubdomGuestFind: the domain with @uuid that is not dying. A short question.
 *
 * Returns whether there is one, and its @domid.
 */
bool stubdomGuestFind(StubdomLibxl *libxl, const unsigned char *uuid, uint32_t *domid);

/**
 * stubdomGuestStubdomain: domid of a guest's stubdomain, 0 if there is none. A short question.
 */
uint32_t stubdomGuestStubdomain(StubdomLibxl *libxl, uint32_t domid);

/**
 * stubdomGuestDestroy: destroys the guest, and its stubdomain with it.
 *
 * Returns 0, also if there is none; or -1 with an error reported.
 */
int stubdomGuestDestroy(StubdomLibxl *libxl, uint32_t domid);

/**
 * stubdomGuestPause: pauses the guest, then its stubdomain. If that fails, the guest goes on.
 * @stubdomain: 0: none
 *
 * Returns 0, or -1 with an error reported.
 */
int stubdomGuestPause(StubdomLibxl *libxl, uint32_t domid, uint32_t stubdomain);

/**
 * stubdomGuestUnpause: lets the stubdomain run, then the guest. If that fails, both are paused.
 *
 * Returns 0, or -1 with an error reported.
 */
int stubdomGuestUnpause(StubdomLibxl *libxl, uint32_t domid, uint32_t stubdomain);

/**
 * stubdomGuestLogTail: the last lines of a device model's log, for an error.
 * @directory: libxl's for logs
 * @name: of the guest
 *
 * Bounded, on one line, with control characters made visible: the stubdomain's console is quoted in it.
 *
 * Returns a string to be freed with g_free(), or NULL if there is nothing.
 */
char *stubdomGuestLogTail(const char *directory, const char *name);
