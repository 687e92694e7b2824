/*
 * The guest's virtual CPUs, on the stubdomain's side
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Adds virtual CPUs to QEMU while the guest runs, by number. How QEMU places a
 * number in sockets, cores and threads depends on its version and machine, so
 * it is asked. What the guest makes of it is the guest's affair.
 */

#pragma once

#include <glib.h>

#include "init_qmp.h"

/**
 * initCpuArguments:
 * @list: what query-hotpluggable-cpus returned, may be NULL
 * @cpu: number of a virtual CPU
 * @present: (out): whether QEMU has it
 * @error: where to store INIT_ERROR_ARGUMENT (there is no such CPU) or INIT_ERROR_QMP
 *
 * Numbers count the places in the order of their sockets, dies, cores and
 * threads. Pure.
 *
 * Returns: (transfer full): arguments of the device_add, or NULL
 */
JsonObject *initCpuArguments(JsonNode *list, guint cpu, gboolean *present, GError **error);

typedef struct InitCpu InitCpu;

/* @error: NULL on success */
typedef void (*InitCpuDone)(const GError *error, gpointer data);

/** initCpuNew: Returns: (transfer full): free with initCpuFree(). @qmp outlives it. */
InitCpu *initCpuNew(InitQmp *qmp);

/** Frees @cpus, which may be NULL and have nothing under way. */
void initCpuFree(InitCpu *cpus);

/** Adds the virtual CPU named by @parameter, or does nothing if QEMU has it. @done is called once, perhaps from within.
 * One operation at a time. */
void initCpuAdd(InitCpu *cpus, const char *parameter, InitCpuDone done, gpointer data);
