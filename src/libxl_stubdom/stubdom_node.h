/*
 * The host
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Methods of libvirt's driver table; each is as documented for the function of
 * libvirt's API it is named after.
 */

#pragma once

#include "datatypes.h"

int stubdomNodeGetInfo(virConnectPtr conn, virNodeInfoPtr info);
int stubdomNodeGetCPUMap(virConnectPtr conn, unsigned char **map, unsigned int *online, unsigned int flags);
int stubdomNodeGetCPUStats(virConnectPtr conn, int cpu, virNodeCPUStatsPtr params, int *count, unsigned int flags);
unsigned long long stubdomNodeGetFreeMemory(virConnectPtr conn);
int stubdomNodeGetCellsFreeMemory(virConnectPtr conn, unsigned long long *memory, int first, int count);
int stubdomNodeGetFreePages(virConnectPtr conn, unsigned int npages, unsigned int *pages, int first, unsigned int count,
                            unsigned long long *counts, unsigned int flags);
int stubdomNodeGetMemoryStats(virConnectPtr conn, int cell, virNodeMemoryStatsPtr params, int *count,
                              unsigned int flags);
int stubdomNodeGetSecurityModel(virConnectPtr conn, virSecurityModelPtr model);
char *stubdomConnectGetSysinfo(virConnectPtr conn, unsigned int flags);
int stubdomConnectGetMaxVcpus(virConnectPtr conn, const char *type);
