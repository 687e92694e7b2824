/*
 * xen-stubdom-display: the display of one guest
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A process of its own for what a stubdomain draws and what viewers say: the
 * backend of its PV framebuffer, keyboard and pointer, and a VNC server. It
 * opens two Xen devices, restricts them to the stubdomain, confines itself and
 * then does what xen-stubdom-dm asks through descriptor 3 until that is closed.
 * It knows no xenstore and makes no listening socket. It is no program for
 * users.
 */

#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <libintl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <xenevtchn.h>
#include <xenforeignmemory.h>
#include <xentoolcore.h>

#include "display_confine.h"
#include "display_loop.h"
#include "display_xen.h"
#include "worker/worker_program.h"

#define PROGRAM "xen-stubdom-display"

#define _(text) gettext(text)
#define gettext_noop(text) text

/* Highest domain id of a guest (xen/xen.h: DOMID_FIRST_RESERVED is 0x7ff0). */
#define DOMID_MAX 0x7fefUL

/* So that a stubdomain that draws without end, or a viewer that asks without end, comes after what dom0 has to do. */
#define NICENESS 5

typedef struct {
    uint32_t stubdomain;
    uint64_t memory; /* bytes of framebuffer */
    const char *name;
} Options;

static DisplayXen displayXen;

static _Noreturn void
fail(const char *what, const char *detail)
{
    workerFail(PROGRAM, what, detail);
}

/* Descriptors that came along by accident are closed first, so that what is open from here on is ours. */
static void
openXen(uint32_t stubdomain)
{
    if (close_range(DISPLAY_WORKER_FD + 1, ~0U, 0) != 0) {
        fail(gettext_noop("cannot close descriptors"), strerror(errno));
    }
    displayXen.stubdomain = stubdomain;
    displayXen.memory = xenforeignmemory_open(&workerSilentLogger, 0);
    if (!displayXen.memory) {
        fail(gettext_noop("cannot open /dev/xen/privcmd"), strerror(errno));
    }
    displayXen.events = xenevtchn_open(&workerSilentLogger, 0);
    if (!displayXen.events) {
        fail(gettext_noop("cannot open /dev/xen/evtchn"), strerror(errno));
    }
    /* Without it, this process could map the memory of every domain: no exception. */
    if (xentoolcore_restrict_all((domid_t)stubdomain) != 0) {
        fail(gettext_noop("cannot restrict Xen's devices to the stubdomain"), strerror(errno));
    }
}

static void
confine(uint64_t memory)
{
    (void)setpriority(PRIO_PROCESS, 0, NICENESS);
#ifdef DISPLAY_UNCONFINED
    fputs(PROGRAM ": this is the UNCONFINED build, which is for tests only\n", stderr);
#else
    const char *step;

    if (!displayConfine(memory, &step)) {
        int error = errno;

        fprintf(stderr, PROGRAM ": %s\n", step);
        fail(gettext_noop("cannot confine this process"), strerror(error));
    }
#endif
}

static void
usage(void)
{
    workerUseLocale();
    printf(_("Usage: %s --stubdomain DOMID [--memory KIB] [--name NAME]\n"
             "Serves the display of a stubdomain. xen-stubdom-dm starts it; it is of no use to anybody else.\n"),
           PROGRAM);
}

static uint64_t
parseNumber(const char *text, uint64_t max)
{
    char *end = NULL;
    unsigned long long value = strtoull(text, &end, 10);

    if (*text == '\0' || *end || value == 0 || value > max) {
        fail(gettext_noop("no number that is possible here"), text);
    }
    return value;
}

static void
parseArguments(int argc, char **argv, Options *options)
{
    static const struct option known[] = {
        {"stubdomain", required_argument, NULL, 's'}, {"memory", required_argument, NULL, 'm'},
        {"name", required_argument, NULL, 'n'},       {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},          {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 's':
            options->stubdomain = (uint32_t)parseNumber(optarg, DOMID_MAX);
            break;
        case 'm':
            options->memory = parseNumber(optarg, DISPLAY_MEMORY_MAX / 1024) * 1024;
            break;
        case 'n':
            options->name = optarg;
            break;
        case 'h':
            usage();
            exit(EXIT_SUCCESS);
        case 'V':
            puts(PROGRAM " " PACKAGE_VERSION);
            exit(EXIT_SUCCESS);
        default:
            exit(EXIT_FAILURE);
        }
    }
    if (!options->stubdomain || optind != argc) {
        usage();
        exit(EXIT_FAILURE);
    }
}

int
main(int argc, char **argv)
{
    Options options = {.memory = DISPLAY_MEMORY_DEFAULT, .name = "xen-stubdom"};

    parseArguments(argc, argv, &options);
    signal(SIGPIPE, SIG_IGN);
    openXen(options.stubdomain);
    if (!displayLoopInit(&displayXen, options.name, options.memory)) {
        fail(gettext_noop("cannot begin"), strerror(errno));
    }
    confine(options.memory);
    displayLoopRun();
}
