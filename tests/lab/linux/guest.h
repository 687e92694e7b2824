/*
 * PID 1 of the Linux guest: what its files share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <stddef.h>

/* One line on the serial port. */
void guestSay(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Reads a file of /sys or /proc without its newline; "" if it cannot be read. Returns @text. */
char *guestRead(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The last part of where a symbolic link leads, or "-". Returns @text. */
char *guestLink(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The commands (docs/testing.md). Each returns NULL, or what is wrong. */
const char *guestPci(char **words);
const char *guestEdu(char **words);
const char *guestNet(char **words);
const char *guestArp(char **words);
const char *guestDisks(char **words);
const char *guestMemory(char **words);
