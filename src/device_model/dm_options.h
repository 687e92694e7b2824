/*
 * Command line of xen-stubdom-dm
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libxl starts xen-stubdom-dm as if it were a QEMU. This file takes the
 * command line apart into what is meant for the process in dom0 (domain,
 * sockets, our own options) and what remains for the guest's configuration
 * (dm_guest.h). It opens and checks nothing.
 */

#pragma once

#include <glib.h>

/* Defaults; libxl waits 60 s for its device model, so the start must be over before. */
#define DM_START_TIMEOUT_DEFAULT 50U
#define DM_COMMAND_TIMEOUT_DEFAULT 10U
#define DM_TIMEOUT_MAX 3600U
#define DM_SAVE_LIMIT_DEFAULT 0x4000000U /* 64 MiB */
#define DM_LOG_LIMIT_DEFAULT 0x100000U   /* 1 MiB */
#define DM_LIMIT_MAX (G_GUINT64_CONSTANT(1) << 32)
#define DM_IMAGE_DEFAULT "linux"

typedef struct {
    guint domid;      /* the guest */
    char *qmpPath;    /* libxl's QMP socket, or NULL */
    int qmpFd;        /* the same as a listening descriptor, or -1 */
    char *statPath;   /* the socket libxenstat looks for, or NULL */
    int incomingFd;   /* device state to restore, or -1 */
    char **arguments; /* the rest, in order: what describes the guest */

    char *image;               /* image=: name of a stubdomain image, or path of its descriptor */
    char *config;              /* config=: file with the guest's libxl_domain_config as JSON, or NULL */
    char *display;             /* display=: file that says how the display is to be seen, or NULL for what -vnc says */
    guint startTimeout;        /* start-timeout=: seconds from our start to "running" */
    guint commandTimeout;      /* command-timeout=: seconds for an answer to a command */
    guint64 saveLimit;         /* save-limit=: bytes of device state */
    guint64 logLimit;          /* log-limit=: bytes in each of the two log files */
    gboolean pciResetOptional; /* pci-reset=optional: devices that cannot be reset are taken, too */
    char *cpus;                /* cpus=: those of the host the stubdomain may run on, or NULL for all */
    guint memory;              /* memory=: MiB of the stubdomain; 0: what the image asks for */
} DmOptions;

/**
 * dmOptionsParse:
 * @argc, @argv: as of main()
 *
 * Returns: (transfer full): free with dmOptionsFree(); NULL with
 *   DM_ERROR_ARGUMENT or DM_ERROR_UNSUPPORTED
 */
DmOptions *dmOptionsParse(int argc, char **argv, GError **error);
void dmOptionsFree(DmOptions *options);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DmOptions, dmOptionsFree)

/**
 * dmOptionListGet:
 * @list: a QEMU option list, "kind,key=value,…"; a doubled comma is a comma
 * @key: which
 *
 * Returns: (transfer full): its value, or NULL if it is not there
 */
char *dmOptionListGet(const char *list, const char *key);
