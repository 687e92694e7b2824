/*
 * Randomness of the stubdomain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A domain that was just made has collected none, and the first program that
 * asks the kernel for random bytes (QEMU's libraries do) waits a second or two
 * until it has. The toolstack has plenty and gives some along.
 */

#pragma once

#include <glib.h>

/**
 * initEntropyAdd:
 * @text: the value of stubdomPathRandomSeed()
 * @error: where to store INIT_ERROR_ARGUMENT, if @text is anything else than
 *   so many hexadecimal digits, or INIT_ERROR_SYSTEM
 *
 * Returns: TRUE if the kernel has the bytes and takes them for random
 */
gboolean initEntropyAdd(const char *text, GError **error);

/** The bytes that @text stands for, into @bytes of STUBDOM_RANDOM_SEED_BYTES; FALSE with INIT_ERROR_ARGUMENT. */
gboolean initEntropyParse(const char *text, guint8 *bytes, GError **error);
