/*
 * Pages of a stubdomain for fuzz targets
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The functions of libxenforeignmemory and libxenevtchn that the display calls,
 * over a few pages of this process.
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

#define FAKE_PAGES 64U

/** Page @number, below FAKE_PAGES, as its owner sees it. */
uint8_t *fakePage(unsigned int number);

/** Mappings that were not undone. */
int fakePagesMapped(void);

/** All pages hold zeros again. */
void fakePagesClear(void);
