/*
 * The two encodings of the device model's argument list
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * `dmargs` is one string, split by MiniOS at spaces with simple quoting;
 * `dm-argv` is one xenstore node an argument. What one cannot carry is an
 * error here, not a surprise in the stubdomain. This file knows nothing of
 * what the arguments mean.
 */

#pragma once

#include <glib.h>

/* Largest payload of one xenstore message (xen/io/xs_wire.h, XENSTORE_PAYLOAD_MAX), less room for the path. */
#define STUBDOM_DMARGS_MAX 3072U
#define STUBDOM_DM_ARGV_VALUE_MAX 2048U

/* Names of dm-argv nodes have three digits and start at 001. */
#define STUBDOM_DM_ARGV_COUNT_MAX 999U

#define STUBDOM_ARGS_ERROR (stubdomArgsErrorQuark())
GQuark stubdomArgsErrorQuark(void);

typedef enum {
    STUBDOM_ARGS_ERROR_VALUE, /* an argument the encoding cannot carry */
    STUBDOM_ARGS_ERROR_SIZE,  /* too long or too many */
} StubdomArgsError;

/**
 * stubdomArgsEncodeDmargs:
 * @argv: NULL-terminated arguments, without the program's name
 * @error: where to store STUBDOM_ARGS_ERROR_VALUE or _SIZE
 *
 * Makes the string for image/dmargs. Arguments with a space or a quote
 * character are quoted with the other quote character; MiniOS knows no
 * escapes, so an argument with both quote characters is quoted piecewise, and
 * an empty argument or one with a control character is an error (MiniOS drops
 * empty words; mini-os main.c).
 *
 * Returns: (transfer full): the string, or NULL with @error set
 */
char *stubdomArgsEncodeDmargs(const char *const *argv, GError **error);

/**
 * stubdomArgsDecodeDmargs:
 * @value: bytes of image/dmargs
 * @length: how many bytes
 *
 * Splits as MiniOS does: at runs of spaces; ' and " quote anywhere in a word
 * and are removed; there are no escapes; a missing closing quote ends at the
 * end of the string; nothing after a NUL byte is read.
 *
 * Returns: (transfer full): NULL-terminated array, free with g_strfreev()
 */
char **stubdomArgsDecodeDmargs(const char *value, gsize length);

/**
 * stubdomArgsCheckDmArgv:
 * @argv: NULL-terminated arguments, without the program's name
 * @error: where to store the error
 *
 * Checks that @argv fits into image/dm-argv.
 *
 * Returns: TRUE if it does
 */
gboolean stubdomArgsCheckDmArgv(const char *const *argv, GError **error);

/**
 * stubdomArgsDmArgvName:
 * @index: 1..STUBDOM_DM_ARGV_COUNT_MAX
 * @name: (out): "001" and so on
 */
void stubdomArgsDmArgvName(guint index, char name[4]);

/**
 * stubdomArgsDmArgvIndex:
 * @name: a node's name below image/dm-argv
 *
 * Returns: its index, or 0 if @name is not three digits
 */
guint stubdomArgsDmArgvIndex(const char *name);
