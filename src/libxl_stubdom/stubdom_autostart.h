/*
 * Domains that are started with the host
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_conf.h"

/**
 * stubdomAutostart: starts all domains that are marked so, each in a thread of its own, once a boot.
 */
void stubdomAutostart(StubdomDriver *driver);
