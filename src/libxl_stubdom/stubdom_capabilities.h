/*
 * What the driver offers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "capabilities.h"

/* The machine libxl's QEMU is started as. */
#define STUBDOM_MACHINE "xenfv"

/**
 * stubdomCapabilitiesNew: the host, and the one kind of guest there is.
 *
 * Returns a reference, or NULL with an error reported. A host CPU libvirt has no name for is no error.
 */
virCaps *stubdomCapabilitiesNew(void);
