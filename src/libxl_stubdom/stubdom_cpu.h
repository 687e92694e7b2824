/*
 * Comparing CPUs
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Methods of libvirt's driver table; each is as documented for the function of
 * libvirt's API it is named after.
 */

#pragma once

#include "datatypes.h"

int stubdomConnectGetCPUModelNames(virConnectPtr conn, const char *arch, char ***models, unsigned int flags);
int stubdomConnectCompareCPU(virConnectPtr conn, const char *xml, unsigned int flags);
char *stubdomConnectBaselineCPU(virConnectPtr conn, const char **xml, unsigned int count, unsigned int flags);
