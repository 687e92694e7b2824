/*
 * A libvirt that says it is another one
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Preloaded, to see the driver decline.
 */

int virGetVersion(unsigned long *libVer, const char *type, unsigned long *typeVer);

int
virGetVersion(unsigned long *libVer, const char *type, unsigned long *typeVer)
{
    *libVer = 9000999;
    return 0;
}
