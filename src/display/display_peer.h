/*
 * Where a viewer is
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#pragma once

#include "device_model/display_message.h"

/** Fills in family, host and service of the other end of @fd. */
void displayPeerDescribe(int fd, DisplayReply *reply);
