/*
 * Error domain of stubdom-init and stubdom-viewer
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every message ends up on console 0 of the stubdomain, where the toolstack
 * quotes it to a user: it names the thing, the value and the cause. Nothing
 * here is translated, as the image carries no message catalogues.
 */

#pragma once

#include <glib.h>

#define INIT_ERROR (initErrorQuark())
GQuark initErrorQuark(void);

typedef enum {
    INIT_ERROR_SYSTEM,   /* a system call failed; the message has strerror */
    INIT_ERROR_XENSTORE, /* xenstored refused, or a node is missing */
    INIT_ERROR_ARGUMENT, /* the toolstack gave something unusable */
    INIT_ERROR_TIMEOUT,  /* a deadline passed */
    INIT_ERROR_QMP,      /* QEMU answered with an error, or with no QMP at all */
    INIT_ERROR_RFB,      /* QEMU's VNC server sent what it must not */
    INIT_ERROR_BUSY,     /* not possible in the present state */
} InitError;

/**
 * initErrorSetErrno:
 * @error: where to store INIT_ERROR_SYSTEM
 * @number: value of errno
 * @what: what was tried, for the message
 *
 * Sets "@what: strerror(@number)".
 */
void initErrorSetErrno(GError **error, int number, const char *what);
