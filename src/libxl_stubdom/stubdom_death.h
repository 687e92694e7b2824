/*
 * What a device model says of its stubdomain's end
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_conf.h"
#include "stubdom_monitor.h"

typedef struct _StubdomDeath StubdomDeath;

/**
 * stubdomDeathMonitor: connects to the monitor of a guest's device model, and listens.
 * @domid: of the guest
 * @death: set to what is heard, to be given back with stubdomDeathUnref()
 *
 * Returns the monitor, or NULL with an error reported.
 */
StubdomMonitor *stubdomDeathMonitor(StubdomDriver *driver, uint32_t domid, StubdomDeath **death);

/**
 * stubdomDeathUnref: @death may be NULL.
 */
void stubdomDeathUnref(StubdomDeath *death);
StubdomDeath *stubdomDeathRef(StubdomDeath *death);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(StubdomDeath, stubdomDeathUnref)

/**
 * stubdomDeathReason: why the stubdomain ended, as a sentence for users.
 * @milliseconds: how long it may take until it is known; with 0 it does not wait
 *
 * Waits, so never with a domain object locked.
 *
 * Returns a string to be freed with g_free(); or NULL if nothing was heard, so the stubdomain is not what ended.
 */
char *stubdomDeathReason(StubdomDeath *death, unsigned int milliseconds);
