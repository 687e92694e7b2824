/*
 * How busy the host's processors are
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "datatypes.h"
#include "stubdom_conf.h"

/**
 * stubdomProcessorsStats: fills @params as virNodeGetCPUStats() does.
 * @driver: with Xen
 * @cpu: of the host, or VIR_NODE_CPU_STATS_ALL_CPUS
 * @params: up to @count values; not looked at if @count is 0
 * @count: set to the number of values there are if it is 0
 *
 * Returns 0, or -1 with an error reported; VIR_ERR_INVALID_ARG if there is no such processor or it is offline.
 */
int stubdomProcessorsStats(const StubdomDriver *driver, int cpu, virNodeCPUStatsPtr params, int *count);
