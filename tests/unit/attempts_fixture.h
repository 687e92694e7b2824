/*
 * Test fixture: what a confined process tries, and is killed for
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A test says how its process confines itself. What no confined process may do
 * is tried here; what this one may not do, in particular, is the test's own.
 */

#pragma once

#include <glib.h>

typedef void (*AttemptFunc)(void);

typedef struct {
    const char *name;
    AttemptFunc attempt;
} Attempt;

/* Runs @attempt in a process that has confined itself. Returns its wait status; it exits with 0 after the attempt. */
typedef int (*AttemptRunFunc)(AttemptFunc attempt);

/** Adds tests GROUP/killed/NAME: each of @own, and what is tried of all, must be answered with SIGSYS. */
void attemptsAdd(const char *group, AttemptRunFunc run, const Attempt *own, gsize count);

/** The process ended by itself with this exit status. */
void attemptAssertExit(int status, int wanted);
