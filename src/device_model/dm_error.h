/*
 * Error domain of xen-stubdom-dm
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every failure a user can meet is a GError of this domain; its message names
 * the thing, the value and what to do. A misbehaving stubdomain is a code,
 * never an assertion.
 */

#pragma once

#include <glib.h>

#define DM_ERROR (dmErrorQuark())
GQuark dmErrorQuark(void);

typedef enum {
    DM_ERROR_ARGUMENT,    /* command line or configuration that cannot be used */
    DM_ERROR_UNSUPPORTED, /* understood, but no stubdomain can do it (yet) */
    DM_ERROR_IMAGE,       /* stubdomain image or its descriptor */
    DM_ERROR_SYSTEM,      /* a system call failed; the message has strerror */
    DM_ERROR_XENSTORE,    /* xenstored refused or cannot be reached */
    DM_ERROR_NOT_FOUND,   /* a xenstore node that does not exist */
    DM_ERROR_XEN,         /* libxl or a hypercall failed */
    DM_ERROR_STUBDOMAIN,  /* the stubdomain answered something else than it may */
    DM_ERROR_REFUSED,     /* the stubdomain answered that a command failed */
    DM_ERROR_TIMEOUT,     /* a deadline passed */
    DM_ERROR_DEAD,        /* the stubdomain is gone */
    DM_ERROR_BUSY,        /* not in the state this command starts from */
    DM_ERROR_CANCELLED,   /* this process is ending */
    DM_ERROR_STATE,       /* a device state that is none, or not a whole one */
} DmError;
