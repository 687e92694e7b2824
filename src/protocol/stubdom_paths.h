/*
 * Xenstore paths of the device-model protocol
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One function a place. G is the guest, S its stubdomain. Every function
 * returns an absolute path that the caller frees with g_free(); none looks at
 * xenstore. Source: docs/misc/stubdom.txt and docs/misc/xenstore-paths.pandoc
 * of Xen, and what libxl 4.17 writes.
 */

#pragma once

#include <glib.h>

/* Domain ids are 15 bits; larger ones have a meaning of their own in Xen (xen/include/public/xen.h,
 * DOMID_FIRST_RESERVED). */
#define STUBDOM_DOMID_MAX 0x7fefU

/* Numbers of the consoles of a stubdomain (stubdom.txt, "Setup"). */
#define STUBDOM_CONSOLE_LOG 0U
#define STUBDOM_CONSOLE_SAVE 1U
#define STUBDOM_CONSOLE_RESTORE 2U
#define STUBDOM_CONSOLE_SERIAL 3U

/* Leaves of the directory a stubdomain owns, dm/ = /local/domain/S/device-model/G. */
typedef enum {
    STUBDOM_NODE_STATE = 0,    /* dm/state */
    STUBDOM_NODE_COMMAND,      /* dm/command */
    STUBDOM_NODE_PARAMETER,    /* dm/parameter */
    STUBDOM_NODE_LOGDIRTY_CMD, /* dm/logdirty/cmd */
    STUBDOM_NODE_LOGDIRTY_RET, /* dm/logdirty/ret */
    STUBDOM_NODE_LAST,
} StubdomNode;

/** The name of @node below dm/, static storage. */
const char *stubdomNodeName(StubdomNode node);

/** /local/domain/@domid */
char *stubdomPathDomain(guint domid);

/** /local/domain/@stubdomain/device-model/@guest: the directory S owns and G may read. */
char *stubdomPathDeviceModel(guint stubdomain, guint guest);

/** /local/domain/@stubdomain/device-model/@guest/<@node> */
char *stubdomPathNode(guint stubdomain, guint guest, StubdomNode node);

/** /local/domain/@stubdomain/target: holds the domid of the guest. */
char *stubdomPathTarget(guint stubdomain);

/* The leaf of stubdomPathRandomSeed(), and bytes in its value, which has two hexadecimal digits for each. */
#define STUBDOM_RANDOM_SEED_NAME "random-seed"
#define STUBDOM_RANDOM_SEED_BYTES 32U

/** /local/domain/@stubdomain/random-seed: random bytes for the stubdomain's kernel (our extension `random-seed`). */
char *stubdomPathRandomSeed(guint stubdomain);

/** /local/domain/@guest/image/device-model-domid: holds the domid of the stubdomain. */
char *stubdomPathDeviceModelDomid(guint guest);

/** /local/domain/@guest/hvmloader/bios */
char *stubdomPathBios(guint guest);

/** /local/domain/0/device-model/@guest: what libxl waits on for a device model in dom0; its `state` is the ready flag.
 */
char *stubdomPathLocalDeviceModel(guint guest);

/** /local/domain/0/backend/pci/@stubdomain/0: what xen-pciback lets the stubdomain have. */
char *stubdomPathPciBackend(guint stubdomain);

/** /vm/@uuid/image/dmargs: the argument list as one string (MiniOS). */
char *stubdomPathDmargs(const char *uuid);

/** /vm/@uuid/image/dm-argv: directory of the argument list, one node an argument (Linux). */
char *stubdomPathDmArgv(const char *uuid);

/** /local/domain/@stubdomain/device/console/@console, @console >= 1: frontend directory. */
char *stubdomPathConsoleFrontend(guint stubdomain, guint console);

/** /local/domain/0/backend/console/@stubdomain/@console */
char *stubdomPathConsoleBackend(guint stubdomain, guint console);

/** /libxl/@stubdomain/device/console/@console: libxl's own record, which makes it clean up the console with the domain.
 */
char *stubdomPathConsoleLibxl(guint stubdomain, guint console);

/* The PV framebuffer and the PV keyboard (xen/io/fbif.h, xen/io/kbdif.h), as their directories are named. */
#define STUBDOM_DISPLAY_VFB "vfb"
#define STUBDOM_DISPLAY_VKBD "vkbd"

/** /local/domain/@stubdomain/device/@type/0: frontend directory; @type: STUBDOM_DISPLAY_VFB or STUBDOM_DISPLAY_VKBD. */
char *stubdomPathDisplayFrontend(guint stubdomain, const char *type);

/** /local/domain/0/backend/@type/@stubdomain/0 */
char *stubdomPathDisplayBackend(guint stubdomain, const char *type);

/** /local/domain/@stubdomain/console/tty: pty of console 0, written by xenconsoled. */
char *stubdomPathLogTty(guint stubdomain);
