/*
 * What goes through a domain's devices
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A disk or a network card of a guest has two backends in dom0: the guest's
 * own, used by its PV drivers, and the stubdomain's, which carries what the
 * guest does with the emulated device. Each request goes through one of them,
 * so the sum is the guest's.
 */

#pragma once

#include "stubdom_conf.h"

typedef struct {
    unsigned long long readRequests;
    unsigned long long readBytes;
    unsigned long long writeRequests;
    unsigned long long writeBytes;
    unsigned long long flushRequests;
    unsigned long long delayed; /* requests that had to wait for memory (oo_req) */
} StubdomDiskCounters;

/* A direction of a network card, from the guest's point of view. */
typedef struct {
    unsigned long long bytes;
    unsigned long long packets;
    unsigned long long errors;
    unsigned long long dropped;
} StubdomNicCounters;

/* Where the devices of a running domain are, as xenstore has it now. */
typedef struct {
    const StubdomDriver *driver;
    uint32_t guest;
    uint32_t stubdomain;
    libxl_device_disk *disks; /* of the stubdomain */
    int ndisks;
    libxl_device_nic *guestNics;
    int nguestNics;
    libxl_device_nic *nics; /* of the stubdomain */
    int nnics;
} StubdomBackends;

/**
 * stubdomBackendsOpen: finds the devices of @vm.
 * @vm: locked
 *
 * Returns whether it runs, so that there can be any; to be freed with stubdomBackendsClose() in any case.
 */
bool stubdomBackendsOpen(StubdomBackends *backends, const StubdomDriver *driver, const virDomainObj *vm);

/**
 * stubdomBackendsClose: frees what is in @backends.
 */
void stubdomBackendsClose(StubdomBackends *backends);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StubdomBackends, stubdomBackendsClose)

/**
 * stubdomBackendsDisk: adds what went through a disk of the guest to @sum.
 * @stubdomain: the part of it that went through the stubdomain is added to this as well; or NULL
 *
 * Returns whether there is a backend that counts.
 */
bool stubdomBackendsDisk(const StubdomBackends *backends, const virDomainDiskDef *disk, StubdomDiskCounters *sum,
                         StubdomDiskCounters *stubdomain);

/**
 * stubdomBackendsNic: adds what went through a network card of the guest.
 *
 * What is sent to all stations of a bridge reaches the guest's interface and the stubdomain's, and is counted twice.
 *
 * Returns whether there is a backend that counts.
 */
bool stubdomBackendsNic(const StubdomBackends *backends, const virDomainNetDef *net, StubdomNicCounters *received,
                        StubdomNicCounters *sent);

/**
 * stubdomBackendDiskNumber: Xen's number of a disk (xen-vbd-interface(7)).
 * @name: as libxl's vdev, without a partition: hda, sdb, xvdc …
 *
 * Returns it, or -1 if it is not the name of a disk.
 */
int stubdomBackendDiskNumber(const char *name);
