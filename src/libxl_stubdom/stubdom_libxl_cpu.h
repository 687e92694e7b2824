/*
 * A domain's processors as libxl wants them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_libxl_config.h"

/**
 * stubdomLibxlBitmapSet: makes @to, which must be empty, a copy of @from.
 */
void stubdomLibxlBitmapSet(libxl_bitmap *to, virBitmap *from);

/**
 * stubdomLibxlCpuFeature: libxl's name of the CPU feature that is @name with libvirt; @name itself if it is the same.
 */
const char *stubdomLibxlCpuFeature(const char *name);

/**
 * stubdomLibxlCpuBuild: translates <vcpu>, <cputune> and <cpu>.
 *
 * Returns 0, or -1 with an error reported, as stubdomLibxlConfigBuild() does.
 */
int stubdomLibxlCpuBuild(StubdomLibxlConfig *config, const virDomainDef *def);
