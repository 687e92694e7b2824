/*
 * A stubdom driver that was built for another libvirt
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The dynamic linker refuses it.
 */

int virForeign(void);
int stubdomRegister(void);

int
stubdomRegister(void)
{
    return virForeign();
}
