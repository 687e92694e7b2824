/*
 * How libxl forks a process that has threads
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <sys/types.h>

/**
 * stubdomLibxlFork:
 * @opaque: not used
 *
 * Forks a child that can use Xen's libraries. The child in which libxl destroys a domain does not call exec but makes
 * hypercalls, and libxencall and libxentoolcore have locks of their whole process. What another thread had locked at
 * that moment stays locked in the child for ever, so that its parent would wait for ever, too. A child shows first that
 * it can take these locks; one that cannot is killed, and another one is forked.
 *
 * For libxl_childproc_hooks.fork_replacement. Facts: buffer.c of libxencall, handlereg.c of libxentoolcore,
 * devices_destroy_cb() of libxl, all of Xen 4.17.
 *
 * Returns: as fork() does; -1 with EDEADLK if no child could use the libraries.
 */
pid_t stubdomLibxlFork(void *opaque);
