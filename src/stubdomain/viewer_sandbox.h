/*
 * System call filter of stubdom-viewer
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Its descriptors are open when it starts, so it needs to open nothing, start
 * nothing and connect to nothing: what is left is a short list, and any other
 * call ends the process.
 */

#pragma once

/** Sets no_new_privs and the filter for the calling process. Returns: 0 or an errno. */
int viewerSandboxEnter(void);
