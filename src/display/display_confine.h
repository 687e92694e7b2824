/*
 * What the display keeps when it confines itself
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

/**
 * displayConfine:
 * @memory: bytes of framebuffer the stubdomain may have
 * @step: (out) (transfer none): on failure, what failed
 *
 * As workerSandboxEnter(). All descriptors that are open stay so.
 */
bool displayConfine(uint64_t memory, const char **step);
