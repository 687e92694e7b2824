/*
 * Whether a domain can be saved
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_conf.h"
#include "stubdom_save_format.h"

/**
 * stubdomSaveCheck: refuses what cannot be saved, while the guest still runs.
 * @vm: locked, active, with a job of the caller's; unlocked meanwhile
 * @path: of the image
 *
 * Returns 0, or -1 with an error reported.
 */
int stubdomSaveCheck(const StubdomDriver *driver, virDomainObj *vm, const char *path, StubdomSaveFormat format);

/**
 * stubdomSaveEstimate: about how many bytes a raw image of @vm has, at the most.
 */
unsigned long long stubdomSaveEstimate(const StubdomDriver *driver, const virDomainObj *vm);
