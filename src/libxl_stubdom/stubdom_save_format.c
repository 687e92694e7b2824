/*
 * How the stream of a saved guest is packed
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * By the programs libvirt's QEMU driver has for it, each named as its format,
 * in a process of their own. Nothing is linked for it: a format whose program
 * is not there is an error when it is asked for.
 */

#include "stubdom_compat.h"

#include "stubdom_save_format.h"

#include "virfile.h"

VIR_ENUM_IMPL(stubdomSaveFormat, STUBDOM_SAVE_FORMAT_LAST, "raw", "gzip", "bzip2", "xz", "zstd");

virCommand *
stubdomSaveFormatCommand(StubdomSaveFormat format, bool unpack)
{
    const char *name = stubdomSaveFormatTypeToString((int)format);
    g_autofree char *program = virFindFileInPath(name);
    virCommand *command;

    if (!program) {
        virReportError(VIR_ERR_OPERATION_FAILED,
                       _("the program '%s' is not installed, without which a save image of that format is neither "
                         "written nor read"),
                       name);
        return NULL;
    }
    command = virCommandNew(program);
    virCommandAddArg(command, unpack ? "-dc" : "-c");
    if (format == STUBDOM_SAVE_FORMAT_XZ && !unpack) {
        virCommandAddArg(command, "-0"); /* as fast as it can be: it is the slowest by far */
    }
    virCommandAddEnvPassCommon(command);
    return command;
}
