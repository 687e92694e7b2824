/*
 * What libvncserver calls
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Keys, pointer and password of viewers, and QEMU's extension of RFB that has
 * scancodes of keys.
 */

#pragma once

#include <rfb/rfb.h>

/** libvncserver has nobody to tell anything. To be called before anything else of it. */
void displayHooksSilence(void);

/** To be called once; clients of @screen have a DisplayViewer as their data. */
void displayHooksInstall(rfbScreenInfoPtr screen);
