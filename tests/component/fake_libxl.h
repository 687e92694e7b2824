/*
 * Preloaded into xen-stubdom-dm and the libvirt driver: what the parts of fake-libxl.so share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <stdarg.h>

#include <libxl.h>

/* Logs @text as libxl would on @ctx, which may be NULL. */
void fakeLog(libxl_ctx *ctx, const char *text);

/* Sends a request to the test process; returns the connection on which it will be answered. */
int fakeSend(const char *json, const char *format, va_list list) __attribute__((format(printf, 2, 0)));

/* Reads an answer and closes @fd. Returns the call's rc; *@rest: the lines after the first, until this thread's next.
 */
int fakeReceiveLines(libxl_ctx *ctx, int fd, long *value, char **rest);

/* The same, with the lines in the log; @value may be NULL. */
int fakeReceive(libxl_ctx *ctx, int fd, long *value);
