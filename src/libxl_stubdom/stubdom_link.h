/*
 * Whether a network card's cable is plugged in
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_conf.h"

/**
 * stubdomLinkSet: connects a card or disconnects it: both of its interfaces in dom0, the guest's and the stubdomain's,
 * or neither.
 * @stubdomain: 0: none
 * @net: of the running domain, with the name of its interface
 *
 * A short call. The guest is not told: its packets go nowhere.
 *
 * Returns 0, or -1 with an error reported.
 */
int stubdomLinkSet(StubdomLibxl *libxl, uint32_t domid, uint32_t stubdomain, const virDomainNetDef *net, bool up);

/**
 * stubdomLinkApply: disconnects the cards of a domain that was started whose links are down.
 * @vm: locked
 *
 * Returns 0, or -1 with an error reported.
 */
int stubdomLinkApply(const StubdomDriver *driver, virDomainObj *vm);
