/*
 * The argument list of QEMU in the stubdomain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The toolstack sends QEMU's arguments as they are to be, with three things
 * only the stubdomain itself can fill in. This file finds them and puts the
 * answers in; it opens nothing and waits for nothing.
 *
 *  - /dev/xvdX and /dev/hvcN in -drive, -blockdev, -chardev, -serial and
 *    -incoming: devices to wait for, and that QEMU must be allowed to open;
 *  - `-netdev` (tap) with ifname=tapN: the emulated card of PV network card N.
 *    ifname= becomes fd=, and what QEMU refuses beside fd= is dropped;
 *  - `-incoming fd:/dev/hvcN`: becomes fd:M.
 *
 * Arguments come from the toolstack, which the stubdomain trusts; a mistake in
 * them is an error with a name all the same.
 */

#pragma once

#include <glib.h>

typedef enum {
    INIT_NODE_DISK,
    INIT_NODE_CONSOLE,
} InitNodeKind;

typedef struct {
    InitNodeKind kind;
    char *path; /* such as /dev/xvda */
} InitNode;

typedef struct {
    guint number;   /* of the PV network card: N of ifname=tapN */
    guint position; /* in argv */
} InitNic;

typedef struct {
    GPtrArray *argv;  /* of char *, not NULL-terminated */
    GPtrArray *nodes; /* of InitNode, each path once, in order of appearance */
    GArray *nics;     /* of InitNic, in order of appearance */
    char *incoming;   /* device to read the saved state from, NULL without */
    guint incomingPosition;
} InitArguments;

/**
 * initArgumentsParse:
 * @argv: NULL-terminated, without the program's name
 * @error: where to store INIT_ERROR_ARGUMENT
 *
 * Returns: (transfer full): free with initArgumentsFree(), or NULL
 */
InitArguments *initArgumentsParse(const char *const *argv, GError **error);

/** Frees @arguments, which may be NULL. */
void initArgumentsFree(InitArguments *arguments);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(InitArguments, initArgumentsFree)

/** Gives network card @index of nics the open tap @fd. */
void initArgumentsSetTap(InitArguments *arguments, guint index, int fd);

/** Gives -incoming the open descriptor @fd. */
void initArgumentsSetIncoming(InitArguments *arguments, int fd);

/**
 * initArgumentsHas:
 *
 * Returns: whether a node of @kind is among the arguments
 */
gboolean initArgumentsHas(const InitArguments *arguments, InitNodeKind kind);
