/*
 * The PCI guest: an operating system that has PCI devices and nothing else
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Takes commands from the first serial port, one a line, drives the lab's two
 * devices that are passed through, and lets them go when ACPI asks for it. Why
 * not Linux: the lab's emulator gives guests a wrong CR2 (docs/testing.md), so
 * what runs in one must do without page faults. This does without pages.
 * Processor in protected mode, flat, halted with interrupts on while there is
 * nothing to do: every read of a port is a round trip to the device model.
 */

#include "guest.h"

#include <stddef.h>

#define COM1 0x3f8
#define COM1_READY 0x01
#define COM1_EMPTY 0x20
#define PIC1 0x20
#define PIC2 0xa0
#define PM_TIMER 0xb008 /* 3.579545 MHz, 32 bits, as Xen has it */
#define PM_TIMER_PER_MS 3580U
#define PM_CONTROL 0xb004
#define PM_CONTROL_OFF 0x2000
#define RESET 0xcf9
#define RESET_NOW 0x06

#define LINE_MAX 128
#define WORDS_MAX 8

void guestMain(void);
void guestHalt(void);

/* --- the serial port, the clock ------------------------------------------------ */

static void
put(char byte)
{
    while (!(guestIn8(COM1 + 5) & COM1_EMPTY)) {
    }
    guestOut8(COM1, (uint8_t)byte);
}

void
guestSay(const char *text)
{
    while (*text) {
        if (*text == '\n') {
            put('\r');
        }
        put(*text++);
    }
}

void
guestSayNumber(uint32_t number, uint32_t digits)
{
    char text[16];
    uint32_t base = digits ? 16 : 10;
    uint32_t at = sizeof(text) - 1;

    text[at] = '\0';
    do {
        text[--at] = "0123456789abcdef"[number % base];
        number /= base;
    } while (digits ? sizeof(text) - 1 - at < digits : number > 0);
    guestSay(text + at);
}

uint32_t
guestClock(void)
{
    return guestIn32(PM_TIMER);
}

bool
guestWithin(uint32_t start, uint32_t milliseconds)
{
    return guestClock() - start < milliseconds * PM_TIMER_PER_MS;
}

/* Both interrupt controllers, with lines 4 (COM1) and 9 (ACPI) open. */
static void
startInterrupts(void)
{
    static const uint8_t words[][2] = {{0x11, 0x11}, {0x20, 0x28}, {0x04, 0x02}, {0x01, 0x01}};

    guestOut8(PIC1, words[0][0]);
    guestOut8(PIC2, words[0][1]);
    for (uint32_t i = 1; i < 4; i++) {
        guestOut8(PIC1 + 1, words[i][0]);
        guestOut8(PIC2 + 1, words[i][1]);
    }
    guestOut8(PIC1 + 1, (uint8_t) ~(1U << 4 | 1U << 2));
    guestOut8(PIC2 + 1, (uint8_t) ~(1U << (9 - 8)));
    guestOut8(COM1 + 3, 0x80); /* 115200 8n1 */
    guestOut8(COM1, 1);
    guestOut8(COM1 + 1, 0);
    guestOut8(COM1 + 3, 3);
    guestOut8(COM1 + 4, 0x0b); /* interrupt line on */
    guestOut8(COM1 + 1, 1);    /* data received */
}

/* --- commands ------------------------------------------------------------------ */

static bool
equal(const char *one, const char *other)
{
    while (*one && *one == *other) {
        one++;
        other++;
    }
    return *one == *other;
}

uint32_t
guestNumber(const char **text)
{
    uint32_t number = 0;

    while (**text >= '0' && **text <= '9') {
        number = number * 10 + (uint32_t)(*(*text)++ - '0');
    }
    return number;
}

static const char *
off(char **words)
{
    (void)words;
    guestSay("pci guest: off\n");
    guestOut16(PM_CONTROL, PM_CONTROL_OFF);
    return "it goes on";
}

static const char *
restart(char **words)
{
    (void)words;
    guestSay("pci guest: reboot\n");
    guestOut8(RESET, RESET_NOW);
    return "it goes on";
}

static const char *
say(char **words)
{
    guestSay("say ");
    guestSay(words[1] ? words[1] : "");
    guestSay("\n");
    return NULL;
}

static const struct {
    const char *word;
    const char *(*run)(char **words);
} commands[] = {
    {"arp", guestArp}, {"edu", guestEdu},   {"hold", guestHold},       {"off", off},
    {"pci", guestPci}, {"reboot", restart}, {"release", guestRelease}, {"say", say},
};

static void
runLine(char *line)
{
    char *words[WORDS_MAX + 1] = {NULL};
    const char *wrong = "no such command";
    uint32_t count = 0;

    for (char *at = line; *at && count < WORDS_MAX;) {
        words[count++] = at;
        while (*at && *at != ' ') {
            at++;
        }
        while (*at == ' ') {
            *at++ = '\0';
        }
    }
    for (uint32_t i = 0; count > 0 && i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (equal(commands[i].word, words[0])) {
            wrong = commands[i].run(words);
            break;
        }
    }
    if (count > 0) {
        guestSay(wrong ? "error " : "ok ");
        guestSay(words[0]);
        guestSay(wrong ? ": " : "");
        guestSay(wrong ? wrong : "");
        guestSay("\n");
    }
}

/* Takes what has come; runs a line when it is whole. */
static void
readSerial(void)
{
    static char line[LINE_MAX];
    static uint32_t length;

    while (guestIn8(COM1 + 5) & COM1_READY) {
        char byte = (char)guestIn8(COM1);

        if (byte == '\r' || byte == '\n') {
            line[length] = '\0';
            length = 0;
            runLine(line);
        } else if (length < sizeof(line) - 1) {
            line[length++] = byte;
        }
    }
}

void
guestMain(void)
{
    startInterrupts();
    guestEjectStart();
    guestSay("pci guest: up\n");
    for (;;) {
        readSerial();
        guestEject();
        guestHalt();
    }
}
