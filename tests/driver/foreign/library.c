/*
 * A libvirt of a version that never was
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Only linked to: its symbol has a version no libvirt has.
 */

int virForeign(void);

int
virForeign(void)
{
    return 0;
}
