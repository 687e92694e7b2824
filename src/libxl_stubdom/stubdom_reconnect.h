/*
 * Domains that ran before the driver did
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_conf.h"

/**
 * stubdomReconnectAll: finds the running domains again, once, when the driver has come up.
 *
 * What runs is taken under watch and not disturbed. What has ended meanwhile is reported. The rest of an interrupted
 * start is removed, and so is a stubdomain whose guest is gone. Each domain is looked after in a thread of its own, so
 * a slow one delays no other.
 */
void stubdomReconnectAll(StubdomDriver *driver);
