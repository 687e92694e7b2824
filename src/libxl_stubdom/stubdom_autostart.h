/*
 * Domains that are started with the host
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_conf.h"

/**
 * stubdomAutostart: starts all domains that are marked so, two at a time, once a boot.
 */
void stubdomAutostart(StubdomDriver *driver);
