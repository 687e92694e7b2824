/*
 * The parameter of pci-ins and pci-rem
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * "DDDD:BB:DD.F[@VV][,option=value]...", all numbers hexadecimal
 * (libxl_pci.c of Xen 4.17; qemu-xen-traditional, hw/pass-through.c). Pure.
 */

#pragma once

#include <glib.h>

typedef struct {
    guint domain;        /* 0..0xffff */
    guint bus;           /* 0..0xff */
    guint slot;          /* 0..0x1f */
    guint function;      /* 0..7 */
    gboolean hasVirtual; /* a place on the guest's bus is asked for */
    guint8 virtualDevfn; /* the place: slot * 8 + function */
    gboolean permissive; /* option permissive=1 */
} InitPciAddress;

/**
 * initPciAddressParse:
 * @text: value of `parameter`
 * @address: (out): what it says
 * @error: where to store INIT_ERROR_ARGUMENT
 *
 * Options that mean something to MiniOS only (msitranslate, power_mgmt) are
 * accepted and have no effect, unknown ones too; one without '=' is an error.
 * The function may have two digits, as xen-pciback writes it into `vdev-N`.
 *
 * Returns: TRUE if @text is well-formed
 */
gboolean initPciAddressParse(const char *text, InitPciAddress *address, GError **error);

/** Returns: (transfer full): "DDDD:BB:DD.F" */
char *initPciAddressText(const InitPciAddress *address);
