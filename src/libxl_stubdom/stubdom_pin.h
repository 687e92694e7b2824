/*
 * Which processors a domain runs on
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Methods of libvirt's driver table; each is as documented for the function of
 * libvirt's API it is named after. The "emulator" is the stubdomain.
 */

#pragma once

#include "datatypes.h"
#include "stubdom_conf.h"

int stubdomDomainPinVcpu(virDomainPtr dom, unsigned int vcpu, unsigned char *map, int length);
int stubdomDomainPinVcpuFlags(virDomainPtr dom, unsigned int vcpu, unsigned char *map, int length, unsigned int flags);
int stubdomDomainGetVcpuPinInfo(virDomainPtr dom, int count, unsigned char *maps, int length, unsigned int flags);
int stubdomDomainPinEmulator(virDomainPtr dom, unsigned char *map, int length, unsigned int flags);
int stubdomDomainGetEmulatorPinInfo(virDomainPtr dom, unsigned char *map, int length, unsigned int flags);
