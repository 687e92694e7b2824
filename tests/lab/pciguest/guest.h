/*
 * The PCI guest: what its files share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#define GUEST_ANY 0xffffffffU

static inline void
guestOut8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void
guestOut16(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline void
guestOut32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t
guestIn8(uint16_t port)
{
    uint8_t value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint16_t
guestIn16(uint16_t port)
{
    uint16_t value;

    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint32_t
guestIn32(uint16_t port)
{
    uint32_t value;

    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

/* What was written to memory is there before the card is told, and what the card wrote is read after it was looked for.
 */
static inline void
guestBarrier(void)
{
    __asm__ volatile("" : : : "memory");
}

/* Sends text, or a number: hexadecimal with so many digits, or decimal with 0. */
void guestSay(const char *text);
void guestSayNumber(uint32_t number, uint32_t digits);

/* Whether less than @milliseconds have passed since the clock showed @start (guestClock()). */
uint32_t guestClock(void);
bool guestWithin(uint32_t start, uint32_t milliseconds);

/*
 * Commands: they get the words of their line, the command first, NULL at the
 * end, print what they found, and return what is wrong or NULL.
 */
const char *guestPci(char **words);
const char *guestEdu(char **words);
const char *guestArp(char **words);
const char *guestHold(char **words);
const char *guestRelease(char **words);

/* The decimal number at *@text, which moves behind it. */
uint32_t guestNumber(const char **text);

/* Configuration space of bus 0. place: slot << 3 | function; reg: in bytes, a multiple of 4. */
uint32_t guestPciRead(uint32_t place, uint32_t reg);
void guestPciWrite(uint32_t place, uint32_t reg, uint32_t value);

/* The first device with these numbers (device << 16 | vendor), ready to be used: its BAR 0, or NULL. */
volatile uint32_t *guestPciUse(uint32_t ids);

/* Switches PCI hot-unplug on, and lets devices go that the toolstack asked for. */
void guestEjectStart(void);
void guestEject(void);
