/*
 * The display of a running domain that changes
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_conf.h"

/**
 * stubdomUpdateGraphics: gives the display of a running domain another password or validity of it.
 * @vm: locked, with a job of ours; unlocked while the device model is asked
 * @changed: the display as it is to be; its password is taken on success
 *
 * Returns 0, or -1 with an error reported: VIR_ERR_OPERATION_UNSUPPORTED if anything else differs.
 */
int stubdomUpdateGraphics(const StubdomDriver *driver, virDomainObj *vm, virDomainGraphicsDef *changed);
