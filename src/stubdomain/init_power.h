/*
 * End of the stubdomain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The toolstack learns how a stubdomain ended from its shutdown reason, which
 * Xen keeps. "poweroff" is an orderly end. "crash" is told to Xen by the
 * SCHEDOP_shutdown hypercall: Linux itself would say so only when it panics,
 * and the trace of a panic would push QEMU's last words out of the log. Outside
 * of Xen both functions only end the process.
 */

#pragma once

#include <glib.h>

/** Ends the domain with the shutdown reason "poweroff". */
void initPowerOff(void) G_GNUC_NORETURN;

/**
 * initPowerCrash:
 *
 * Ends the domain with the shutdown reason "crash". Should the hypercall be
 * refused (xen-privcmd restricted or not loaded), the kernel is made to panic,
 * which has the same reason.
 */
void initPowerCrash(void) G_GNUC_NORETURN;
