/*
 * What the display has of Xen
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Two handles, both restricted to one stubdomain by the kernel: foreign memory
 * maps only its pages, event channels are bound only to it.
 */

#pragma once

#include <stdint.h>

#include <xenevtchn.h>
#include <xenforeignmemory.h>

#include "device_model/display_message.h"

typedef struct {
    uint32_t stubdomain;
    xenforeignmemory_handle *memory;
    xenevtchn_handle *events;
    void (*reply)(const DisplayReply *reply);
} DisplayXen;
