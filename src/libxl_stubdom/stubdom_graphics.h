/*
 * Where the display of a running domain listens
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_conf.h"

/**
 * stubdomGraphicsPrepare: chooses the address, the ports and the sockets of a domain's display, and reserves the ports.
 * @vm: locked, with a job of ours; its live definition is changed. Unlocked while the network driver is asked for the
 *   address of a network
 *
 * What is reserved already, as by a guest that restarts, stays.
 *
 * Returns 0, or -1 with an error reported; stubdomGraphicsRelease() must follow in the end in any case.
 */
int stubdomGraphicsPrepare(const StubdomDriver *driver, virDomainObj *vm);

/**
 * stubdomGraphicsRelease: gives the ports back, and removes sockets that have a name of ours. Of a display that was not
 * prepared nothing happens.
 */
void stubdomGraphicsRelease(virDomainDef *def);

/**
 * stubdomGraphicsReclaim: reserves the ports of a running domain's display, after a start of the daemon.
 *
 * That they cannot be reserved is logged: the display has them.
 */
void stubdomGraphicsReclaim(virDomainDef *def);
