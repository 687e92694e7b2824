/*
 * RFB client of stubdom-viewer
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Just as much of the RFB protocol (RFC 6143) as one viewer of QEMU's own needs
 * on a socket pair inside the stubdomain: no authentication, pixels of 32 bits
 * as the PV framebuffer has them, the raw encoding, changes of the desktop's
 * size, and keys by their place on the keyboard (QEMU's extended key event).
 * libvncclient knows a lot more, and brings 6 MiB of libraries for it.
 *
 * It does no I/O: it says where the next bytes go, which for pixels is the
 * picture itself, and is told how many came. QEMU runs what a guest feeds it, so
 * each size is checked against the desktop's before a byte is placed.
 */

#pragma once

#include <glib.h>
#include <sys/uio.h>

/* Pixels in a row, and rows, of a desktop. QEMU's VNC server has 2560 and 2048, or 5120 and 2160 from 8.0 on. */
#define VIEWER_RFB_MAX 8192U

/* Bytes of a pixel. */
#define VIEWER_RFB_PIXEL 4U

typedef struct ViewerRfb ViewerRfb;

/* What is shown of the desktop: its upper left corner, as far as there is room. */
typedef struct {
    guint8 *pixels;
    gsize stride; /* bytes */
    guint width;  /* pixels, at most the desktop's */
    guint height;
} ViewerPicture;

/* The desktop has another size: @picture is to be filled in. */
typedef void (*ViewerRfbResized)(guint width, guint height, ViewerPicture *picture, gpointer data);

/**
 * viewerRfbNew:
 * @resized: called from viewerRfbReceived() before a pixel of a new size is placed
 * @data: for @resized
 *
 * Returns: (transfer full): free with viewerRfbFree()
 */
ViewerRfb *viewerRfbNew(ViewerRfbResized resized, gpointer data);
void viewerRfbFree(ViewerRfb *rfb);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ViewerRfb, viewerRfbFree)

/**
 * viewerRfbVectors:
 * @vectors: (out): where the next bytes from the server go
 * @max: how many there may be
 *
 * Returns: how many there are, at least one
 */
guint viewerRfbVectors(ViewerRfb *rfb, struct iovec *vectors, guint max);

/**
 * viewerRfbReceived:
 * @length: bytes that were put there, at most what the vectors hold
 *
 * Returns: FALSE with INIT_ERROR_RFB when the server sent what it must not, or
 *   refuses; the connection is of no use then
 */
gboolean viewerRfbReceived(ViewerRfb *rfb, gsize length, GError **error);

/** What is to be sent; (transfer none): the caller takes off what it has sent. */
GByteArray *viewerRfbOutput(ViewerRfb *rfb);

/** Whether the desktop is there and no update is under way: the next may be asked for. */
gboolean viewerRfbWantsUpdate(const ViewerRfb *rfb);

/** Asks for what changes from now on, or for all of it if that was not seen yet. */
void viewerRfbAskUpdate(ViewerRfb *rfb);

/** Presses or releases a key; @scancode: its number, see viewer_keys.h. Nothing before there is a desktop. */
void viewerRfbKey(ViewerRfb *rfb, guint scancode, gboolean down);

/** Moves the pointer; @buttons: RFB's mask. A place beyond the desktop is its last one. */
void viewerRfbPointer(ViewerRfb *rfb, guint buttons, guint x, guint y);
