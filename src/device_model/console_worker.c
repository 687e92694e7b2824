/*
 * xen-stubdom-console: the console worker
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A process of its own for the bytes of one stubdomain's consoles: it maps the
 * rings, binds the event channels and holds dom0's ends, and nothing else. It
 * opens the two Xen devices, confines itself and then does what
 * xen-stubdom-dm asks through descriptor 3 until that is closed. It knows
 * neither xenstore nor what a console is for. It is no program for users.
 */

#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <libintl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <xen/xen.h>
#include <xen/sys/evtchn.h>
#include <xen/sys/gntdev.h>
#include <xenevtchn.h>
#include <xengnttab.h>

#include "console_worker_console.h"
#include "console_worker_message.h"
#include "worker/worker_program.h"
#include "worker/worker_sandbox.h"

#define PROGRAM "xen-stubdom-console"

#define _(text) gettext(text)
#define gettext_noop(text) text

/* The stubdomain's share of dom0's time: so many events and turns of a console in so many milliseconds. */
#define WORK_MAX 200
#define WORK_PERIOD_MS 10

/* Highest domain id of a guest (xen/xen.h: DOMID_FIRST_RESERVED is 0x7ff0). */
#define DOMID_MAX 0x7fefUL

/* Descriptors at a time: standard ones, socket, two devices, a peer for each console, one in transit. */
#define DESCRIPTORS_MAX 32
#define MEMORY_MAX (16UL * 1024 * 1024)

/* Sources before the consoles' peers in the poll array. */
enum { POLL_SOCKET = 0, POLL_EVENTS, POLL_CONSOLES };

static WorkerXen workerXen;
static WorkerConsole consoles[CONSOLE_NUMBERS];

static _Noreturn void
fail(const char *what, const char *detail)
{
    workerFail(PROGRAM, what, detail);
}

/* Waits if xen-stubdom-dm is slow: it asked for each reply, so there are few. */
static void
sendToParent(const ConsoleReply *reply)
{
    ssize_t count;

    do {
        count = send(CONSOLE_WORKER_FD, reply, sizeof(*reply), MSG_NOSIGNAL);
    } while (count < 0 && errno == EINTR);
    if (count != (ssize_t)sizeof(*reply)) {
        _exit(EXIT_FAILURE);
    }
}

static void
sendNowhere(const ConsoleReply *reply)
{
}

/* The parent is gone or closing: what the stubdomain said last still goes out. */
static void
finish(void)
{
    workerXen.reply = sendNowhere;
    for (uint32_t number = 1; number < CONSOLE_NUMBERS; number++) {
        workerConsolePump(&consoles[number]);
    }
    _exit(EXIT_SUCCESS);
}

/* One packet. The parent is trusted; a packet that makes no sense means that the two programs do not fit together. */
static void
receiveRequest(void)
{
    char data[sizeof(ConsoleRequest)];
    ConsoleRequest request;
    int fd = -1;
    ssize_t count = workerReceive(CONSOLE_WORKER_FD, data, sizeof(data), &fd);

    if (count == 0) {
        finish();
    }
    if (count < 0 || !consoleRequestParse(data, (size_t)count, &request)) {
        _exit(EXIT_FAILURE);
    }
    workerConsoleRequest(&consoles[request.console], &request, fd);
}

/* Masked by the kernel since it was raised, so a flood is one event until here. */
static void
receiveEvent(void)
{
    xenevtchn_port_or_error_t port = xenevtchn_pending(workerXen.events);

    if (port < 0) {
        _exit(EXIT_FAILURE);
    }
    for (uint32_t number = 1; number < CONSOLE_NUMBERS; number++) {
        WorkerConsole *console = &consoles[number];

        if (console->ring.page && console->port == (evtchn_port_t)port) {
            if (xenevtchn_unmask(workerXen.events, (evtchn_port_t)port) != 0) {
                _exit(EXIT_FAILURE);
            }
            workerConsolePump(console);
        }
    }
}

static int64_t
nowMs(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Turns of consoles that have more than one turn's bytes. Returns how many there were. */
static int
pumpMore(void)
{
    int turns = 0;

    for (uint32_t number = 1; number < CONSOLE_NUMBERS; number++) {
        if (consoles[number].more) {
            workerConsolePump(&consoles[number]);
            turns++;
        }
    }
    return turns;
}

static bool
anyMore(void)
{
    for (uint32_t number = 1; number < CONSOLE_NUMBERS; number++) {
        if (consoles[number].more) {
            return true;
        }
    }
    return false;
}

/* Fills the poll array; returns how long to wait. */
static int
prepareSources(struct pollfd *sources, bool exhausted, int wait)
{
    sources[POLL_SOCKET] = (struct pollfd){.fd = CONSOLE_WORKER_FD, .events = POLLIN};
    sources[POLL_EVENTS] = (struct pollfd){.fd = exhausted ? -1 : xenevtchn_fd(workerXen.events), .events = POLLIN};
    sources[POLL_CONSOLES] = (struct pollfd){.fd = -1};
    for (uint32_t number = 1; number < CONSOLE_NUMBERS; number++) {
        short interest = workerConsoleInterest(&consoles[number]);

        sources[POLL_CONSOLES + number] =
            (struct pollfd){.fd = interest ? consoles[number].peer : -1, .events = interest};
    }
    if (exhausted) {
        return wait;
    }
    return anyMore() ? 0 : -1;
}

/*
 * One turn: poll, then act. @spent is what the stubdomain used of its share,
 * @wait the milliseconds until it has a new one. A request has a turn of its
 * own, because it changes what the other sources mean, and goes first: what the
 * stubdomain sends when it is told to must find what was asked for before.
 */
static void
runOnce(int *spent, int wait)
{
    struct pollfd sources[POLL_CONSOLES + CONSOLE_NUMBERS];
    bool exhausted = *spent >= WORK_MAX;

    if (poll(sources, POLL_CONSOLES + CONSOLE_NUMBERS, prepareSources(sources, exhausted, wait)) < 0) {
        if (errno == EINTR) {
            return;
        }
        _exit(EXIT_FAILURE);
    }
    if (sources[POLL_SOCKET].revents) {
        receiveRequest();
        return;
    }
    if (sources[POLL_EVENTS].revents) {
        receiveEvent();
        (*spent)++;
    }
    for (uint32_t number = 1; number < CONSOLE_NUMBERS; number++) {
        if (sources[POLL_CONSOLES + number].revents) {
            workerConsoleReady(&consoles[number], sources[POLL_CONSOLES + number].revents);
        }
    }
    if (!exhausted) {
        *spent += pumpMore();
    }
}

static void
run(void)
{
    int64_t start = nowMs();
    int spent = 0;

    for (;;) {
        int64_t now = nowMs();

        if (now - start >= WORK_PERIOD_MS) {
            start = now;
            spent = 0;
        }
        runOnce(&spent, (int)(start + WORK_PERIOD_MS - now));
    }
}

static void
openXen(uint32_t stubdomain)
{
    workerXen.stubdomain = stubdomain;
    workerXen.reply = sendToParent;
    workerXen.grants = xengnttab_open(&workerSilentLogger, 0);
    if (!workerXen.grants) {
        fail(gettext_noop("cannot open /dev/xen/gntdev"), strerror(errno));
    }
    workerXen.events = xenevtchn_open(&workerSilentLogger, 0);
    if (!workerXen.events) {
        fail(gettext_noop("cannot open /dev/xen/evtchn"), strerror(errno));
    }
    /* Kernels before 4.9 and other systems cannot; the worker is still confined. */
    if (xenevtchn_restrict(workerXen.events, (domid_t)stubdomain) != 0 && errno != ENOTTY && errno != ENOSYS) {
        fail(gettext_noop("cannot restrict /dev/xen/evtchn to the stubdomain"), strerror(errno));
    }
}

#ifndef CONSOLE_WORKER_UNCONFINED
/*
 * What libxengnttab and libxenevtchn ask of the two devices. What the first
 * cannot be kept from: it maps any page that any domain granted to dom0, since
 * its driver knows no restriction to one domain (the event channel driver does,
 * and it is used).
 */
static const uint32_t deviceRequests[] = {
    (uint32_t)IOCTL_GNTDEV_MAP_GRANT_REF,
    (uint32_t)IOCTL_GNTDEV_UNMAP_GRANT_REF,
    (uint32_t)IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR,
    (uint32_t)IOCTL_EVTCHN_BIND_INTERDOMAIN,
    (uint32_t)IOCTL_EVTCHN_UNBIND,
    (uint32_t)IOCTL_EVTCHN_NOTIFY,
};
#endif

static void
confine(void)
{
#ifdef CONSOLE_WORKER_UNCONFINED
    fputs(PROGRAM ": this is the UNCONFINED build, which is for tests only\n", stderr);
#else
    const char *step;
    int grants = xengnttab_fd(workerXen.grants);
    int events = xenevtchn_fd(workerXen.events);
    int keep[] = {CONSOLE_WORKER_FD, grants < events ? grants : events, grants < events ? events : grants};
    const WorkerSandbox sandbox = {
        .keep = keep,
        .keepCount = sizeof(keep) / sizeof(keep[0]),
        .descriptorsMax = DESCRIPTORS_MAX,
        .memoryMax = MEMORY_MAX,
        .deviceRequests = deviceRequests,
        .deviceRequestCount = sizeof(deviceRequests) / sizeof(deviceRequests[0]),
        .outlives = true, /* until the last of its sockets is closed: a save goes on without xen-stubdom-dm */
    };

    if (!workerSandboxEnter(&sandbox, &step)) {
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
    printf(_("Usage: %s --stubdomain DOMID\n"
             "Serves the PV consoles of a stubdomain. xen-stubdom-dm starts it; it is of no use to anybody else.\n"),
           PROGRAM);
}

static uint32_t
parseArguments(int argc, char **argv)
{
    static const struct option options[] = {{"stubdomain", required_argument, NULL, 's'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"version", no_argument, NULL, 'V'},
                                            {NULL, 0, NULL, 0}};
    unsigned long stubdomain = 0;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        char *end = NULL;

        switch (option) {
        case 's':
            stubdomain = strtoul(optarg, &end, 10);
            if (*end || stubdomain == 0 || stubdomain > DOMID_MAX) {
                fail(gettext_noop("no domain id"), optarg);
            }
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
    if (!stubdomain || optind != argc) {
        usage();
        exit(EXIT_FAILURE);
    }
    return (uint32_t)stubdomain;
}

int
main(int argc, char **argv)
{
    uint32_t stubdomain = parseArguments(argc, argv);

    signal(SIGPIPE, SIG_IGN);
    openXen(stubdomain);
    for (uint32_t number = 0; number < CONSOLE_NUMBERS; number++) {
        workerConsoleInit(&consoles[number], &workerXen, number);
    }
    confine();
    run();
}
