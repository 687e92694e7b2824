/*
 * What a domain can have
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A method of libvirt's driver table, as documented for virConnectGetDomainCapabilities().
 */

#pragma once

#include "datatypes.h"

/* HVM_MAX_VCPUS of Xen's public/hvm/hvm_info_table.h. */
#define STUBDOM_VCPUS_MAX 128

char *stubdomConnectGetDomainCapabilities(virConnectPtr conn, const char *emulator, const char *arch,
                                          const char *machine, const char *virttype, unsigned int flags);
