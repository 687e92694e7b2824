/*
 * The caretaker of a guest whose xen-stubdom-dm died
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libxl asks once: whoever it asked when xen-stubdom-dm died got no answer. A
 * save that failed so is followed by a `cont`, which comes here. When it was
 * the `cont` itself that had no answer, nothing follows, and the caretaker
 * resumes the guest in libxl's place.
 */

#include "config.h"

#include "dm_caretaker.h"

#include <sys/socket.h>
#include <unistd.h>

#include <glib-unix.h>
#include <glib/gi18n-lib.h>

#include "console_worker_message.h"
#include "dm_channel.h"
#include "dm_domain.h"
#include "dm_error.h"
#include "dm_orphan.h"
#include "dm_qmp_server.h"

/* Milliseconds for an answer of the stubdomain (command-timeout's default; the options died with their process). */
#define ANSWER_TIMEOUT 10000
/* Milliseconds libxl has for its `cont` after a save whose answer died. */
#define WORD_TIMEOUT 10000

/* All members: main loop only. */
struct _DmCaretaker {
    DmStore *store;
    DmLibxl *libxl;
    guint guest;
    guint stubdomain;
    DmQmpServer *server;
    DmChannel *channel;
    DmStoreWatch *release;
    DmOrphan *orphan;
    int worker;
    guint workerSource;
    StubdomCommand pending; /* until it is answered */
    GPtrArray *waiting;     /* of DmQmpRequest: `cont` that came before that */
    guint answer;           /* source: how long they wait */
    guint word;             /* source: how long libxl's `cont` is waited for */
    gboolean saved;         /* the device state is in dom0, and no `cont` came since */
    gboolean givenUp;       /* a `cont` failed: the guest will not be resumed */
    guint operations;       /* libxl's, in work */
};

/* --- what libxl does for it ------------------------------------------------- */

static void
operationDone(const GError *error, gpointer opaque)
{
    DmCaretaker *caretaker = opaque;

    caretaker->operations--;
    if (error) {
        g_printerr("xen-stubdom-dm: guardian: %s\n", error->message);
    }
}

/* The stubdomain is of no use any more; its end is then its guest's. */
static void
giveUp(DmCaretaker *caretaker, const char *reason)
{
    DmLibxlOperation *operation;

    g_printerr("xen-stubdom-dm: guardian: guest %u: %s\n", caretaker->guest, reason);
    caretaker->givenUp = TRUE;
    caretaker->operations++;
    operation = dmLibxlBegin(caretaker->libxl, _("destroy the stubdomain"), operationDone, caretaker);
    dmLibxlStarted(operation, libxl_domain_destroy(dmLibxlContext(caretaker->libxl), caretaker->stubdomain,
                                                   dmLibxlHow(operation)));
}

/* libxl says `cont` to us while it does. */
static gboolean
resumeGuest(gpointer opaque)
{
    DmCaretaker *caretaker = opaque;
    DmLibxlOperation *operation;

    caretaker->word = 0;
    if (!caretaker->orphan && dmDomainSuspended(caretaker->libxl, caretaker->guest)) {
        g_printerr("xen-stubdom-dm: guardian: guest %u: it was being saved when its device model process died, and is "
                   "resumed\n",
                   caretaker->guest);
        caretaker->operations++;
        operation = dmLibxlBegin(caretaker->libxl, _("resume the guest"), operationDone, caretaker);
        dmLibxlStarted(operation, libxl_domain_resume(dmLibxlContext(caretaker->libxl), caretaker->guest, 1,
                                                      dmLibxlHow(operation)));
    }
    return G_SOURCE_REMOVE;
}

/* --- QMP ------------------------------------------------------------------------ */

static void
refuse(DmQmpRequest *request, JsonObject *arguments, gpointer opaque)
{
    dmQmpRequestFail(request, "GenericError", "%s",
                     _("the guest's device model process has died: until the guest is started anew it can neither be "
                       "saved nor be given devices"));
}

typedef struct {
    DmCaretaker *caretaker;
    DmQmpRequest *request;
} Continue;

static void
continued(const GError *error, guint8 devfn, gpointer opaque)
{
    g_autofree Continue *command = opaque;

    if (error) {
        dmQmpRequestFail(command->request, "GenericError", "%s", error->message);
        if (!command->caretaker->orphan) {
            giveUp(command->caretaker, error->message);
        }
        dmOrphanGivenUp(command->caretaker->orphan);
    } else {
        dmQmpRequestReturn(command->request, NULL);
    }
}

static gboolean
waitedForAnswer(gpointer opaque)
{
    DmCaretaker *caretaker = opaque;

    caretaker->answer = 0;
    while (caretaker->waiting->len) {
        dmQmpRequestFail(g_ptr_array_remove_index(caretaker->waiting, 0), "GenericError",
                         _("the stubdomain does not answer '%s'"), stubdomCommandInfo(caretaker->pending)->word);
    }
    giveUp(caretaker, _("its stubdomain does not answer"));
    return G_SOURCE_REMOVE;
}

static void
runCont(DmQmpRequest *request, JsonObject *arguments, gpointer opaque)
{
    DmCaretaker *caretaker = opaque;
    Continue *command;

    g_clear_handle_id(&caretaker->word, g_source_remove);
    if (caretaker->orphan) {
        dmQmpRequestFail(request, "GenericError", "%s", _("the guest has no stubdomain that runs"));
        dmOrphanGivenUp(caretaker->orphan);
        return;
    }
    caretaker->saved = FALSE;
    if (caretaker->pending != STUBDOM_COMMAND_LAST) {
        g_ptr_array_add(caretaker->waiting, request);
        if (!caretaker->answer) {
            caretaker->answer = g_timeout_add(ANSWER_TIMEOUT, waitedForAnswer, caretaker);
        }
    } else if (dmChannelState(caretaker->channel) == STUBDOM_STATE_PAUSED) {
        command = g_new0(Continue, 1);
        command->caretaker = caretaker;
        command->request = request;
        dmChannelSend(caretaker->channel, STUBDOM_COMMAND_CONTINUE, NULL, ANSWER_TIMEOUT, continued, command);
    } else {
        dmQmpRequestReturn(request, NULL);
    }
}

static void
dirtyLogOff(const GError *error, guint8 devfn, gpointer opaque)
{
    dmQmpRequestReturn(opaque, NULL); /* the stubdomain has no part in the save any more */
}

static void
runDirtyLog(DmQmpRequest *request, JsonObject *arguments, gpointer opaque)
{
    DmCaretaker *caretaker = opaque;

    if (!arguments || json_object_get_boolean_member_with_default(arguments, "enable", TRUE)) {
        refuse(request, arguments, opaque);
    } else if (caretaker->orphan && !caretaker->saved) {
        dmQmpRequestFail(request, "GenericError", "%s", _("the guest has no stubdomain that runs"));
    } else {
        dmChannelSend(caretaker->channel, STUBDOM_COMMAND_LOGDIRTY_DISABLE, NULL, ANSWER_TIMEOUT, dirtyLogOff, request);
    }
}

static const DmQmpCommand commands[] = {
    {"add-fd", refuse},
    {"cont", runCont},
    {"device_add", refuse},
    {"stop", refuse},
    {"xen-save-devices-state", refuse},
    {"xen-set-global-dirty-log", runDirtyLog},
    {NULL, NULL},
};

/* --- the stubdomain ------------------------------------------------------------- */

static void
answered(StubdomCommand command, const char *parameter, const char *text, gpointer opaque)
{
    DmCaretaker *caretaker = opaque;

    if (command == caretaker->pending) {
        caretaker->pending = STUBDOM_COMMAND_LAST;
        g_clear_handle_id(&caretaker->answer, g_source_remove);
        while (caretaker->waiting->len) {
            runCont(g_ptr_array_remove_index(caretaker->waiting, 0), NULL, caretaker);
        }
    }
}

static void
report(const char *reason, gboolean suspended, gpointer opaque)
{
    DmCaretaker *caretaker = opaque;

    g_printerr("xen-stubdom-dm: guardian: guest %u: stubdomain %u ended: %s; the guest cannot go on\n",
               caretaker->guest, caretaker->stubdomain, reason);
}

static gboolean
stateIsSaved(gpointer opaque)
{
    DmCaretaker *caretaker = opaque;

    return caretaker->saved;
}

static void
domainReleased(const char *changed, gpointer opaque)
{
    DmCaretaker *caretaker = opaque;
    libxl_dominfo info;
    g_autofree char *end = NULL;
    gboolean byItself = FALSE;
    gboolean paused;

    if (caretaker->orphan || !dmDomainAlive(caretaker->libxl, caretaker->guest, &paused)) {
        return;
    }
    if (!dmLibxlDomainInfo(caretaker->libxl, caretaker->stubdomain, &info)) {
        end = dmDomainDescribeEnd(NULL);
    } else {
        byItself = info.shutdown;
        end = info.shutdown || info.dying ? dmDomainDescribeEnd(&info) : NULL;
        libxl_dominfo_dispose(&info);
    }
    if (end) {
        caretaker->orphan =
            dmOrphanNew(caretaker->libxl, caretaker->guest, end, byItself, paused, report, stateIsSaved, caretaker);
        if (caretaker->givenUp) {
            dmOrphanGivenUp(caretaker->orphan);
        }
        dmChannelDie(caretaker->channel, end);
        g_clear_handle_id(&caretaker->answer, g_source_remove);
        while (caretaker->waiting->len) {
            runCont(g_ptr_array_remove_index(caretaker->waiting, 0), NULL, caretaker);
        }
    }
}

/* It tells of consoles, and nobody wants to know. */
static gboolean
workerSays(gint fd, GIOCondition condition, gpointer opaque)
{
    DmCaretaker *caretaker = opaque;
    char data[sizeof(ConsoleReply)];

    if (recv(fd, data, sizeof(data), MSG_DONTWAIT) > 0) {
        return G_SOURCE_CONTINUE;
    }
    caretaker->workerSource = 0;
    g_printerr("xen-stubdom-dm: guardian: guest %u: its console worker ended\n", caretaker->guest);
    return G_SOURCE_REMOVE;
}

/* --- begin and end ---------------------------------------------------------------- */

static gboolean
takeCharge(DmCaretaker *caretaker, const DmCaretakerCharge *charge, GError **error)
{
    caretaker->channel = dmChannelNew(caretaker->store, charge->stubdomain, charge->guest, error);
    if (!caretaker->channel) {
        return FALSE;
    }
    caretaker->pending = charge->pending;
    caretaker->saved =
        charge->pending == STUBDOM_COMMAND_LAST && dmChannelState(caretaker->channel) == STUBDOM_STATE_PAUSED;
    dmChannelSetLate(caretaker->channel, answered, caretaker);
    dmChannelAdopt(caretaker->channel, charge->pending);
    if (charge->pending == STUBDOM_COMMAND_SAVE || charge->pending == STUBDOM_COMMAND_CONTINUE) {
        caretaker->word = g_timeout_add(WORD_TIMEOUT, resumeGuest, caretaker);
    }
    if (charge->worker >= 0) {
        caretaker->workerSource = g_unix_fd_add(charge->worker, G_IO_IN | G_IO_HUP | G_IO_ERR, workerSays, caretaker);
    }
    caretaker->release = dmStoreWatch(caretaker->store, "@releaseDomain", domainReleased, caretaker, error);
    caretaker->server = charge->listener >= 0 && caretaker->release
                            ? dmQmpServerNewForSocket(charge->listener, commands, caretaker, error)
                            : NULL;
    return caretaker->release && (caretaker->server || charge->listener < 0);
}

DmCaretaker *
dmCaretakerNew(DmStore *store, DmLibxl *libxl, const DmCaretakerCharge *charge, GError **error)
{
    DmCaretaker *caretaker = g_new0(DmCaretaker, 1);

    caretaker->store = store;
    caretaker->libxl = libxl;
    caretaker->guest = charge->guest;
    caretaker->stubdomain = charge->stubdomain;
    caretaker->worker = charge->worker;
    caretaker->waiting = g_ptr_array_new();
    if (!takeCharge(caretaker, charge, error)) {
        dmCaretakerFree(caretaker);
        return NULL;
    }
    domainReleased(NULL, caretaker); /* what happened meanwhile */
    return caretaker;
}

void
dmCaretakerFree(DmCaretaker *caretaker)
{
    if (!caretaker) {
        return;
    }
    g_clear_handle_id(&caretaker->answer, g_source_remove);
    g_clear_handle_id(&caretaker->word, g_source_remove);
    dmStoreUnwatch(caretaker->release);
    dmOrphanFree(caretaker->orphan);
    while (caretaker->operations) {
        g_main_context_iteration(NULL, TRUE);
    }
    caretaker->orphan = NULL;
    dmChannelFree(caretaker->channel);
    while (caretaker->waiting->len) {
        dmQmpRequestFail(g_ptr_array_remove_index(caretaker->waiting, 0), "GenericError", "%s", _("the guest is gone"));
    }
    g_ptr_array_unref(caretaker->waiting);
    dmQmpServerFree(caretaker->server);
    g_clear_handle_id(&caretaker->workerSource, g_source_remove);
    if (caretaker->worker >= 0) {
        close(caretaker->worker);
    }
    g_free(caretaker);
}
