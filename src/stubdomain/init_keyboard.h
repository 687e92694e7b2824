/*
 * Set-up of the PV keyboard and pointer
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The frontend's half of the handshake (xen/io/kbdif.h): a page that is granted
 * to the backend, an event channel, the nodes, the states. In user space, as
 * the kernels of Debian's cloud flavour have no xen-kbdfront, and so without a
 * kernel's input layer between a viewer and QEMU. What goes through the page is
 * stubdom-viewer's (viewer_keyboard.h), which inherits the descriptors.
 */

#pragma once

#include <glib.h>

#include "init_xenstore.h"

typedef struct InitKeyboard InitKeyboard;

/**
 * initKeyboardNew:
 * @store: xenstore, must outlive this
 * @error: where to store INIT_ERROR_SYSTEM or INIT_ERROR_XENSTORE
 *
 * Offers the keyboard to the backend, and follows its states from then on.
 *
 * Returns: (transfer full): stays until the stubdomain ends; or NULL
 */
InitKeyboard *initKeyboardNew(InitXenstore *store, GError **error);

/** Descriptor of which the shared page is mapped at offset 0. */
int initKeyboardPage(const InitKeyboard *keyboard);

/** Descriptor of event channels, with one port; see initKeyboardPort(). */
int initKeyboardPorts(const InitKeyboard *keyboard);
guint initKeyboardPort(const InitKeyboard *keyboard);
