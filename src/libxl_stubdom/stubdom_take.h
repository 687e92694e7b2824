/*
 * PV devices taken from a running guest
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_libxl.h"

/**
 * stubdomTakeDisk: takes a PV disk from a guest, by force only if no driver of it has ever connected.
 *
 * No domain is to be locked. Returns 0, or -1 with an error reported.
 */
int stubdomTakeDisk(StubdomLibxl *libxl, uint32_t domid, const char *target);

/**
 * stubdomTakeNet: the same for a network card, which libxl takes by force from a guest that does not let go.
 */
int stubdomTakeNet(StubdomLibxl *libxl, uint32_t domid, const char *mac);
