/*
 * Preloaded into xen-stubdom-dm and the libvirt driver: what the parts of fake-libxl.so share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <libxl.h>

/* Logs @text as libxl would on @ctx, which may be NULL. */
void fakeLog(libxl_ctx *ctx, const char *text);
