/*
 * What stubdom.conf says
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_defaults_display.h"
#include "stubdom_save_format.h"
#include "stubdom_settings.h"

/* All members: immutable once read. */
typedef struct {
    StubdomSettings stubdomain;   /* of domains that do not say otherwise */
    char *autoDumpPath;           /* directory of core dumps of on_crash, or NULL */
    StubdomSaveFormat saveFormat; /* of save images that are written */
    bool restoreOtherImage;       /* also if it was saved with another stubdomain image */
    StubdomDisplayDefaults display;
} StubdomDefaults;

/**
 * stubdomDefaultsRead: reads the configuration file of the driver.
 * @file: its path; that there is none is as good as an empty one
 * @defaults: zeroes, to be cleared with stubdomDefaultsClear() also on failure
 *
 * Returns 0, or -1 with an error reported that names the file, the setting and what it may be. A setting nobody knows
 * is an error too.
 */
int stubdomDefaultsRead(const char *file, StubdomDefaults *defaults);

/**
 * stubdomDefaultsClear: frees what is in @defaults.
 */
void stubdomDefaultsClear(StubdomDefaults *defaults);
