/*
 * In the place of the stock libxl driver
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Says that it was loaded, and returns what the test wants it to.
 */

#include <stdio.h>
#include <stdlib.h>

int libxlRegister(void);

int
libxlRegister(void)
{
    puts("stock driver loaded");
    fflush(stdout);
    return getenv("STOCK_FAILS") ? -1 : 0;
}
