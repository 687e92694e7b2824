/*
 * How the stream of a saved guest is packed
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "internal.h"
#include "vircommand.h"
#include "virenum.h"

/* As numbers they are in save images: none is ever given another meaning. */
typedef enum {
    STUBDOM_SAVE_FORMAT_RAW = 0,
    STUBDOM_SAVE_FORMAT_GZIP = 1,
    STUBDOM_SAVE_FORMAT_BZIP2 = 2,
    STUBDOM_SAVE_FORMAT_XZ = 3,
    STUBDOM_SAVE_FORMAT_ZSTD = 4,

    STUBDOM_SAVE_FORMAT_LAST
} StubdomSaveFormat;

/* stubdomSaveFormatTypeToString(), stubdomSaveFormatTypeFromString() */
VIR_ENUM_DECL(stubdomSaveFormat);

/**
 * stubdomSaveFormatCommand: the program that packs, or unpacks, its standard input to its standard output.
 * @format: any but STUBDOM_SAVE_FORMAT_RAW
 *
 * Returns a command to be freed with virCommandFree(), or NULL with an error reported that names the program if it is
 * not installed.
 */
virCommand *stubdomSaveFormatCommand(StubdomSaveFormat format, bool unpack);
