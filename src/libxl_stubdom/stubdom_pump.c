/*
 * A thread that carries a saved guest between a pipe and a file
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libxl is given a pipe and not the file, so that somebody else counts what
 * goes through, makes its digest, notices a full disk in its own words, and
 * can end it at any time. A buffer of fixed size is all that is ever held.
 */

#include "stubdom_compat.h"

#include "stubdom_pump.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "virfile.h"
#include "virthread.h"
#include "virutil.h"

#define BUFFER_SIZE (1024UL * 1024)

struct _StubdomPump {
    gatomicrefcount references;
    virThread thread;        /* caller only */
    int source;              /* thread only, once it runs */
    int sink;                /* thread only, once it runs; -1: nobody reads any more */
    bool toFile;             /* immutable: otherwise from a file */
    bool direct;             /* immutable */
    unsigned char *buffer;   /* thread only */
    StubdomDigest *digest;   /* thread only */
    unsigned long long left; /* thread only: to be read from a file */
    int wake;                /* immutable: readable after stubdomPumpAbort() and stubdomPumpEnd() */
    GMutex lock;
    unsigned long long bytes; /* lock */
    bool aborted;             /* lock */
    bool ended;               /* lock: what is in the pipe is all */
    const char *failed;       /* thread only: what failed, or NULL */
    int error;                /* thread only: errno of it; ECANCELED: given up */
};

static bool
isSet(StubdomPump *pump, const bool *flag)
{
    bool set;

    g_mutex_lock(&pump->lock);
    set = *flag;
    g_mutex_unlock(&pump->lock);
    return set;
}

static void
setFlag(StubdomPump *pump, bool *flag)
{
    g_mutex_lock(&pump->lock);
    *flag = true;
    g_mutex_unlock(&pump->lock);
    ignore_value(eventfd_write(pump->wake, 1));
}

/* Returns false if it was given up. With what is in the pipe being all, it does not wait. */
static bool
waitFor(StubdomPump *pump, int fd, short events)
{
    struct pollfd fds[] = {{.fd = fd, .events = events}, {.fd = pump->wake, .events = POLLIN}};

    while (poll(fds, G_N_ELEMENTS(fds), -1) < 0 && errno == EINTR) {
    }
    if (fds[1].revents && isSet(pump, &pump->aborted)) {
        errno = ECANCELED;
        return false;
    }
    return true;
}

static bool
fail(StubdomPump *pump, const char *what)
{
    pump->failed = what;
    pump->error = errno;
    return false;
}

/* Fills the buffer, but for the last time. Returns the bytes in it, or -1. */
static ssize_t
fill(StubdomPump *pump)
{
    size_t have = 0;

    while (have < BUFFER_SIZE && (pump->toFile || pump->left > 0)) {
        ssize_t got;
        bool ended;

        if (!waitFor(pump, pump->source, POLLIN)) {
            return -1;
        }
        ended = isSet(pump, &pump->ended); /* before what there is is looked for */
        got = read(pump->source, pump->buffer + have, BUFFER_SIZE - have);
        if (got < 0 && errno == EAGAIN && ended) {
            break;
        }
        if (got < 0 && errno != EINTR && errno != EAGAIN) {
            return -1;
        }
        if (got == 0) {
            break;
        }
        if (got > 0) {
            have += (size_t)got;
            pump->left -= MIN(pump->left, (unsigned long long)got);
        }
    }
    return (ssize_t)have;
}

/* What is no whole block cannot be written past the cache. */
static bool
writeDirectly(const StubdomPump *pump, bool directly)
{
    int flags = fcntl(pump->sink, F_GETFL);

    return flags >= 0 && fcntl(pump->sink, F_SETFL, directly ? flags | O_DIRECT : flags & ~O_DIRECT) == 0;
}

static bool
drain(StubdomPump *pump, size_t size)
{
    size_t done = 0;

    if (pump->toFile && pump->direct && size % STUBDOM_PUMP_ALIGNMENT && !writeDirectly(pump, false)) {
        return false;
    }
    while (done < size && pump->sink >= 0) {
        ssize_t put;

        if (!waitFor(pump, pump->sink, POLLOUT)) {
            return false;
        }
        put = write(pump->sink, pump->buffer + done, size - done);
        if (put < 0 && !pump->toFile && (errno == EPIPE || (errno == EAGAIN && isSet(pump, &pump->ended)))) {
            VIR_FORCE_CLOSE(pump->sink); /* what is left is read for its digest */
        } else if (put < 0 && errno != EINTR && errno != EAGAIN) {
            return false;
        }
        done += put > 0 ? (size_t)put : 0;
    }
    return true;
}

static bool
carry(StubdomPump *pump)
{
    for (;;) {
        ssize_t size = fill(pump);

        if (size < 0) {
            return fail(pump, pump->toFile ? N_("the state of the guest cannot be taken over")
                                           : N_("the save image cannot be read"));
        }
        if (size == 0) {
            return true;
        }
        stubdomDigestUpdate(pump->digest, pump->buffer, (size_t)size);
        if (!drain(pump, (size_t)size)) {
            return fail(pump, pump->toFile ? N_("the save image cannot be written")
                                           : N_("the state of the guest cannot be handed over"));
        }
        g_mutex_lock(&pump->lock);
        pump->bytes += (unsigned long long)size;
        g_mutex_unlock(&pump->lock);
    }
}

/* The pipe's other end learns of the end from ours. */
static void
run(void *opaque)
{
    StubdomPump *pump = opaque;
    sigset_t pipes;

    sigemptyset(&pipes);
    sigaddset(&pipes, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipes, NULL);
    carry(pump);
    if (pump->toFile) {
        VIR_FORCE_CLOSE(pump->source);
    } else {
        VIR_FORCE_CLOSE(pump->sink);
    }
}

StubdomPump *
stubdomPumpRef(StubdomPump *pump)
{
    if (pump) {
        g_atomic_ref_count_inc(&pump->references);
    }
    return pump;
}

void
stubdomPumpUnref(StubdomPump *pump)
{
    if (!pump || !g_atomic_ref_count_dec(&pump->references)) {
        return;
    }
    if (pump->toFile) {
        VIR_FORCE_CLOSE(pump->source);
    } else {
        VIR_FORCE_CLOSE(pump->sink);
    }
    VIR_FORCE_CLOSE(pump->wake);
    stubdomDigestFree(pump->digest);
    g_mutex_clear(&pump->lock);
    free(pump->buffer);
    g_free(pump);
}

static int
setDirect(int file)
{
    int flags = fcntl(file, F_GETFL);

    if (flags < 0 || fcntl(file, F_SETFL, flags | O_DIRECT) < 0) {
        virReportSystemError(errno, "%s", _("the file system of the save image cannot bypass the cache"));
        return -1;
    }
    return 0;
}

static StubdomPump *
start(StubdomPump *pump)
{
    int file = pump->toFile ? pump->sink : pump->source;
    int pipe = pump->toFile ? pump->source : pump->sink;

    g_atomic_ref_count_init(&pump->references);
    g_mutex_init(&pump->lock);
    pump->digest = stubdomDigestNew();
    pump->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (posix_memalign((void **)&pump->buffer, STUBDOM_PUMP_ALIGNMENT, BUFFER_SIZE) != 0) {
        abort(); /* as GLib does without memory */
    }
    if (pump->direct && setDirect(file) < 0) {
        stubdomPumpUnref(pump);
        return NULL;
    }
    ignore_value(fcntl(pipe, F_SETPIPE_SZ, BUFFER_SIZE)); /* the other end goes on while a buffer is in work */
    if (pump->wake < 0 || virSetNonBlock(pipe) < 0 ||
        virThreadCreateFull(&pump->thread, true, run, "stubdom-pump", false, pump) < 0) {
        virReportSystemError(errno, "%s", _("cannot start the thread for the save image"));
        stubdomPumpUnref(pump);
        return NULL;
    }
    return pump;
}

StubdomPump *
stubdomPumpToFile(int pipe, int file, bool direct)
{
    StubdomPump *pump = g_new0(StubdomPump, 1);

    pump->toFile = true;
    pump->source = pipe;
    pump->sink = file;
    pump->direct = direct;
    return start(pump);
}

StubdomPump *
stubdomPumpFromFile(int file, unsigned long long length, int pipe, bool direct)
{
    StubdomPump *pump = g_new0(StubdomPump, 1);

    pump->source = file;
    pump->left = length;
    pump->sink = pipe;
    pump->direct = direct;
    return start(pump);
}

void
stubdomPumpAbort(StubdomPump *pump)
{
    setFlag(pump, &pump->aborted);
}

void
stubdomPumpEnd(StubdomPump *pump)
{
    setFlag(pump, &pump->ended);
}

unsigned long long
stubdomPumpBytes(StubdomPump *pump)
{
    unsigned long long bytes;

    g_mutex_lock(&pump->lock);
    bytes = pump->bytes;
    g_mutex_unlock(&pump->lock);
    return bytes;
}

int
stubdomPumpFinish(StubdomPump *pump, StubdomPumpResult *result)
{
    int status = -1;

    virThreadJoin(&pump->thread);
    if (isSet(pump, &pump->aborted)) {
        virReportError(VIR_ERR_OPERATION_ABORTED, "%s", _("it was given up, as was asked for"));
    } else if (pump->failed) {
        virReportSystemError(pump->error, "%s", _(pump->failed));
    } else {
        result->bytes = pump->bytes;
        stubdomDigestGet(pump->digest, result->digest);
        status = 0;
    }
    stubdomPumpUnref(pump);
    return status;
}
