/*
 * The parameter of pci-ins and pci-rem, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "init_pci_address.h"

#include <string.h>

#include "init_error.h"

/* Reads 1..@digits hexadecimal digits at *@text, moves it on; TRUE if there were any and the value is at most @max. */
static gboolean
parseHex(const char **text, guint digits, guint max, guint *value)
{
    const char *p = *text;

    *value = 0;
    while (g_ascii_isxdigit(*p) && (guint)(p - *text) < digits)
        *value = *value * 16 + (guint)g_ascii_xdigit_value(*p++);
    if (p == *text || *value > max)
        return FALSE;
    *text = p;
    return TRUE;
}

static gboolean
parseCharacter(const char **text, char c)
{
    if (**text != c)
        return FALSE;
    (*text)++;
    return TRUE;
}

static gboolean
parseOptions(const char *text, InitPciAddress *address)
{
    g_auto(GStrv) options = g_strsplit(text, ",", -1);

    if (!*options)
        return FALSE;
    for (char **option = options; *option; option++) {
        if (!strchr(*option, '='))
            return FALSE;
        if (g_str_equal(*option, "permissive=1"))
            address->permissive = TRUE;
    }
    return TRUE;
}

gboolean
initPciAddressParse(const char *text, InitPciAddress *address, GError **error)
{
    const char *p = text;
    guint devfn = 0;

    memset(address, 0, sizeof(*address));
    if (!parseHex(&p, 4, 0xffff, &address->domain) || !parseCharacter(&p, ':') ||
        !parseHex(&p, 2, 0xff, &address->bus) || !parseCharacter(&p, ':') || !parseHex(&p, 2, 0x1f, &address->slot) ||
        !parseCharacter(&p, '.') || !parseHex(&p, 2, 7, &address->function))
        goto malformed;
    if (parseCharacter(&p, '@')) {
        if (!parseHex(&p, 2, 0xff, &devfn))
            goto malformed;
        address->hasVirtual = TRUE;
        address->virtualDevfn = (guint8)devfn;
    }
    if (parseCharacter(&p, ',') ? !parseOptions(p, address) : *p != '\0')
        goto malformed;
    return TRUE;

malformed:
    g_set_error(error, INIT_ERROR, INIT_ERROR_ARGUMENT, "'%s' is no DDDD:BB:DD.F[@VV][,option=value]...", text);
    return FALSE;
}

char *
initPciAddressText(const InitPciAddress *address)
{
    return g_strdup_printf("%04x:%02x:%02x.%x", address->domain, address->bus, address->slot, address->function);
}
