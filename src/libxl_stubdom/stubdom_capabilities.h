/*
 * What the driver offers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "capabilities.h"

#include "stubdom_libxl.h"

/* The machine libxl's QEMU is started as. */
#define STUBDOM_MACHINE "xenfv"

/* What libxl's names of network interfaces begin with. */
#define STUBDOM_NET_PREFIX "vif"

/**
 * stubdomCapabilitiesNew: the host, and the one kind of guest there is.
 * @libxl: is asked about the host; NULL without Xen
 *
 * Returns a reference, or NULL with an error reported. What Xen or libvirt cannot say of the host is left out, and no
 * error: the driver is of use without it.
 */
virCaps *stubdomCapabilitiesNew(StubdomLibxl *libxl);

/**
 * stubdomCapabilitiesTopology: the host's nodes, sockets, cores and threads.
 * @host: what Xen says
 * @info: these four are set, by the rules of virNodeGetInfo(): their product is at least the number of processors
 */
void stubdomCapabilitiesTopology(const libxl_physinfo *host, virNodeInfoPtr info);
