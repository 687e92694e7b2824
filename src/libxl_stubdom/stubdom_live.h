/*
 * What a running domain's definition says beyond what was written
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_conf.h"

/**
 * stubdomLiveAssign: gives each device its alias. No alias is changed.
 *
 * Disks are "disk-" and their target, others their kind and number: net0, serial0, hostdev0.
 */
void stubdomLiveAssign(virDomainDef *def);

/**
 * stubdomLiveFill: what is known once the guest is there: names of its interfaces in dom0 and of its consoles'
 * terminals.
 * @vm: locked, with a job of ours; unlocked while the device model is asked
 *
 * Returns 0, or -1 with an error reported.
 */
int stubdomLiveFill(StubdomDriver *driver, virDomainObj *vm);
