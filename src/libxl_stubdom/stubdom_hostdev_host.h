/*
 * PCI devices are taken from the host, and given back
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * All functions may take seconds, as drivers of dom0 let go of devices and
 * look for them again: no domain is locked meanwhile, a job of ours protects
 * it.
 */

#pragma once

#include "stubdom_conf.h"
#include "stubdom_settings.h"

/* xen-pciback's name as a driver of devices. */
#define STUBDOM_HOSTDEV_BACKEND "pciback"

/**
 * stubdomHostdevLoadBackend: has the kernel load xen-pciback.
 *
 * Returns 0, also if it is there; or -1 with an error reported.
 */
int stubdomHostdevLoadBackend(void);

/**
 * stubdomHostdevLeave: makes a device ready to go back to a driver of the host's, unless a domain has it.
 *
 * It reaches dom0's memory again, and xen-pciback does not take it again. What fails is logged.
 */
void stubdomHostdevLeave(const StubdomDriver *driver, const virPCIDeviceAddress *address);

/**
 * stubdomHostdevExpect: notes in @hostdev whether giving it back will mean to bind it to another driver than
 * xen-pciback.
 *
 * To be called, and written down with the domain's status, before stubdomHostdevTake(): a libvirtd that is killed in
 * between leaves the device to the next one.
 */
void stubdomHostdevExpect(const StubdomDriver *driver, virDomainHostdevDef *hostdev);

/**
 * stubdomHostdevTake: has devices bound to xen-pciback, and marked as used by a domain.
 * @def: of the domain that gets them
 * @settings: what the domain says of devices, or NULL
 * @hostdevs: of libvirt's type PCI; their original state is noted in them
 *
 * All are looked at before the first is touched: host, device, reset, other domains.
 *
 * Returns 0; or -1 with an error reported that names the device and the fact, and none taken.
 */
int stubdomHostdevTake(StubdomDriver *driver, const virDomainDef *def, const StubdomSettings *settings,
                       virDomainHostdevDef **hostdevs, size_t count);

/**
 * stubdomHostdevGive: resets devices, and gives those that are managed back to their drivers.
 * @def: of the domain they were taken for
 *
 * One whose reset fails stays bound to xen-pciback and in quarantine. One that is not marked as @def's, or not bound to
 * xen-pciback, is not touched. What fails is logged. Keeps the error that is set.
 */
void stubdomHostdevGive(StubdomDriver *driver, const virDomainDef *def, virDomainHostdevDef **hostdevs, size_t count);

/**
 * stubdomHostdevReclaim: marks devices as used by @def, after a start of the daemon.
 */
void stubdomHostdevReclaim(const virDomainDef *def);

/**
 * stubdomHostdevPardon: ends the quarantine of a device, if it is in one, as the administrator wants.
 * @address: DDDD:BB:DD.F
 * @reset: whether it must be reset first
 *
 * Returns 0, or -1 with an error reported, and it stays in quarantine.
 */
int stubdomHostdevPardon(const StubdomDriver *driver, const char *address, bool reset);
