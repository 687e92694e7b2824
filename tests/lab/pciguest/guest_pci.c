/*
 * The PCI guest's bus: what is there, hot-plugged or not, hot-unplug, and edu
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Hot-unplug is what the AML that Xen's firmware gives to an operating system
 * does: general-purpose event 1 says that something is to go, a register of
 * QEMU says which slots, another one ejects them. Firmware has placed devices
 * that were there at start; those that came later are placed here, each into
 * one MiB of its own. edu is QEMU's teaching device (docs/specs/edu.rst of QEMU).
 */

#include "guest.h"

#include <stddef.h>

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA 0xcfc
#define PLACES 256U
#define COMMAND 0x04
#define COMMAND_MEMORY_MASTER 6U
#define CLASS 0x08
#define BAR0 0x10
#define BARS 6U
#define BAR_IO 1U
#define BAR_64 4U

#define WINDOW 0xf8000000U /* in the hole for devices, above what firmware gives to emulated ones */
#define WINDOW_BYTES (1U << 20)

#define GPE_STATUS 0xafe0
#define GPE_ENABLE 0xafe2
#define GPE_HOTPLUG 2U
#define HOTPLUG_DOWN 0xae04
#define HOTPLUG_EJECT 0xae08

#define EDU_IDS 0x11e81234U
#define NIC_IDS 0x10d38086U
#define EDU_FACTORIAL (0x08 / 4)
#define EDU_STATUS (0x20 / 4)
#define EDU_BUSY 1U
#define EDU_MILLISECONDS 5000

/* The guest does not let go while this is set. */
static bool held;

uint32_t
guestPciRead(uint32_t place, uint32_t reg)
{
    guestOut32(CONFIG_ADDRESS, 0x80000000U | place << 8 | reg);
    return guestIn32(CONFIG_DATA);
}

void
guestPciWrite(uint32_t place, uint32_t reg, uint32_t value)
{
    guestOut32(CONFIG_ADDRESS, 0x80000000U | place << 8 | reg);
    guestOut32(CONFIG_DATA, value);
}

static const char *
driverOf(uint32_t ids)
{
    return ids == EDU_IDS ? "edu" : ids == NIC_IDS ? "e1000e" : "-";
}

const char *
guestPci(char **words)
{
    (void)words;
    for (uint32_t place = 0; place < PLACES; place++) {
        uint32_t ids = guestPciRead(place, 0);

        if ((ids & 0xffff) == 0xffff) {
            continue;
        }
        guestSay("pci 0000:00:");
        guestSayNumber(place >> 3, 2);
        guestSay(".");
        guestSayNumber(place & 7, 1);
        guestSay(" ");
        guestSayNumber(ids & 0xffff, 4);
        guestSay(":");
        guestSayNumber(ids >> 16, 4);
        guestSay(" class ");
        guestSayNumber(guestPciRead(place, CLASS) >> 8, 6);
        guestSay(" driver ");
        guestSay(driverOf(ids));
        guestSay("\n");
    }
    return NULL;
}

/* Gives a device that firmware did not see its addresses. */
static void
placeBars(uint32_t place)
{
    uint32_t next = WINDOW + (place >> 3) * WINDOW_BYTES;

    for (uint32_t i = 0; i < BARS; i++) {
        uint32_t reg = BAR0 + 4 * i;
        uint32_t mask, size;

        guestPciWrite(place, reg, GUEST_ANY);
        mask = guestPciRead(place, reg);
        if (mask == 0 || (mask & BAR_IO)) {
            guestPciWrite(place, reg, 0);
            continue;
        }
        size = ~(mask & ~15U) + 1;
        next = (next + size - 1) & ~(size - 1);
        guestPciWrite(place, reg, next);
        next += size;
        if (mask & BAR_64) {
            guestPciWrite(place, reg + 4, 0);
            i++;
        }
    }
}

volatile uint32_t *
guestPciUse(uint32_t ids)
{
    for (uint32_t place = 0; place < PLACES; place++) {
        if (guestPciRead(place, 0) != ids) {
            continue;
        }
        if ((guestPciRead(place, BAR0) & ~15U) == 0) {
            placeBars(place);
        }
        guestPciWrite(place, COMMAND, (guestPciRead(place, COMMAND) & 0xffff) | COMMAND_MEMORY_MASTER);
        return (volatile uint32_t *)(guestPciRead(place, BAR0) & ~15U);
    }
    return NULL;
}

void
guestEjectStart(void)
{
    guestOut16(GPE_STATUS, GPE_HOTPLUG);
    guestOut16(GPE_ENABLE, GPE_HOTPLUG);
}

/* Slots that are asked for: their devices stop to read and write memory, and go. */
static void
letGo(void)
{
    uint32_t down = held ? 0 : guestIn32(HOTPLUG_DOWN);

    for (uint32_t slot = 0; slot < 32; slot++) {
        if (!(down >> slot & 1)) {
            continue;
        }
        for (uint32_t function = 0; function < 8; function++) {
            if ((guestPciRead(slot << 3 | function, 0) & 0xffff) != 0xffff) {
                guestPciWrite(slot << 3 | function, COMMAND, 0);
            }
        }
        guestOut32(HOTPLUG_EJECT, 1U << slot);
    }
}

void
guestEject(void)
{
    if (guestIn16(GPE_STATUS) & GPE_HOTPLUG) {
        guestOut16(GPE_STATUS, GPE_HOTPLUG); /* written to be cleared */
        letGo();
    }
}

const char *
guestHold(char **words)
{
    (void)words;
    held = true;
    return NULL;
}

const char *
guestRelease(char **words)
{
    (void)words;
    held = false;
    letGo();
    return NULL;
}

const char *
guestEdu(char **words)
{
    volatile uint32_t *edu = guestPciUse(EDU_IDS);
    const char *argument = words[1] ? words[1] : "";
    uint32_t number = guestNumber(&argument);
    uint32_t start = guestClock();

    if (!edu) {
        return "there is no edu device";
    }
    guestSay("edu identification ");
    guestSayNumber(edu[0], 8);
    guestSay("\n");
    edu[EDU_FACTORIAL] = number;
    while (edu[EDU_STATUS] & EDU_BUSY) {
        if (!guestWithin(start, EDU_MILLISECONDS)) {
            return "edu does not end its computation";
        }
    }
    guestSay("edu factorial ");
    guestSayNumber(number, 0);
    guestSay(" is ");
    guestSayNumber(edu[EDU_FACTORIAL], 0);
    guestSay("\n");
    return NULL;
}
