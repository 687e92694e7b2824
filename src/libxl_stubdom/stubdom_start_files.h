/*
 * Files that xen-stubdom-dm reads when it starts
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_conf.h"
#include "stubdom_libxl_config.h"

/**
 * stubdomStartFilesWrite: writes down the guest, and its display if it has one, for the device model of a start.
 * @def: the live definition
 * @config: its translation; the files are named among the arguments of its device model
 *
 * Returns 0, or -1 with an error reported; stubdomStartFilesRemove() must follow in any case.
 */
int stubdomStartFilesWrite(const StubdomDriver *driver, const virDomainDef *def, StubdomLibxlConfig *config);

/**
 * stubdomStartFilesRemove: removes what there is of them.
 */
void stubdomStartFilesRemove(const StubdomDriver *driver, const virDomainDef *def);
