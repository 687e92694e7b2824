/*
 * A thread that carries a saved guest between a pipe and a file
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "internal.h"

#include "stubdom_digest.h"

/* A direct transfer is in blocks of this size, so it begins at a multiple of it. */
#define STUBDOM_PUMP_ALIGNMENT 4096

typedef struct _StubdomPump StubdomPump;

typedef struct {
    unsigned long long bytes;                  /* that were in the file */
    unsigned char digest[STUBDOM_DIGEST_SIZE]; /* of them */
} StubdomPumpResult;

/**
 * stubdomPumpToFile: starts to write what comes out of a pipe.
 * @pipe: its end to be read, taken in any case
 * @file: at the place to be written to; the caller's, and left alone until the pump has finished
 * @direct: past the cache of the kernel
 *
 * A failure to write closes the pipe: who writes into it then fails as well.
 *
 * Returns it, to be ended with stubdomPumpFinish(), or NULL with an error reported.
 */
StubdomPump *stubdomPumpToFile(int pipe, int file, bool direct);

/**
 * stubdomPumpFromFile: starts to feed a pipe.
 * @file: at the place to be read from; the caller's, and left alone until the pump has finished
 * @length: bytes to be read
 * @pipe: its end to be written to, taken in any case
 *
 * All of it is read, and its digest made, also if nobody reads the pipe any more.
 */
StubdomPump *stubdomPumpFromFile(int file, unsigned long long length, int pipe, bool direct);

/**
 * stubdomPumpRef, stubdomPumpUnref: a reference for who may want to ask it or give it up. NULL is allowed.
 */
StubdomPump *stubdomPumpRef(StubdomPump *pump);
void stubdomPumpUnref(StubdomPump *pump);

/**
 * stubdomPumpAbort: makes it end as failed, soon. Never waits, any thread.
 */
void stubdomPumpAbort(StubdomPump *pump);

/**
 * stubdomPumpEnd: whoever was at the other end of the pipe is done with it.
 *
 * It may still be open in some process that was forked meanwhile and never uses it, which nobody is to wait for.
 */
void stubdomPumpEnd(StubdomPump *pump);

/**
 * stubdomPumpBytes: how many have been carried so far. Any thread.
 */
unsigned long long stubdomPumpBytes(StubdomPump *pump);

/**
 * stubdomPumpFinish: waits until the last byte has been carried, and drops the caller's reference.
 *
 * The other end of the pipe must have been closed, or be about to be closed by its process; or stubdomPumpEnd() was
 * called.
 *
 * Returns 0 and @result; or -1 with an error reported, VIR_ERR_OPERATION_ABORTED after stubdomPumpAbort().
 */
int stubdomPumpFinish(StubdomPump *pump, StubdomPumpResult *result);
