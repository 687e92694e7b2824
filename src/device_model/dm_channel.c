/*
 * The command channel to a stubdomain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A watch on the stubdomain's directory says that something changed; then the
 * nodes are read and shown to the state machine. A stubdomain that writes
 * without end makes us look no more often than every LOOK_INTERVAL.
 */

#include "config.h"

#include "dm_channel.h"

#include <string.h>

#include <glib/gi18n-lib.h>

#include "dm_error.h"
#include "protocol/stubdom_paths.h"

/* Microseconds between two looks at the nodes. */
#define LOOK_INTERVAL 5000

typedef struct {
    StubdomCommand command; /* STUBDOM_COMMAND_LAST: waits for the first "running" */
    char *parameter;
    guint timeout;
    DmChannelFunc func;
    gpointer opaque;
} ChannelRequest;

/* All members: main loop only. */
struct _DmChannel {
    DmStore *store;
    guint stubdomain;
    guint guest;
    char *paths[STUBDOM_NODE_LAST];
    DmStoreWatch *watch;
    DmChannelMachine machine;
    ChannelRequest *current;
    GQueue queue;    /* of ChannelRequest */
    guint deadline;  /* source */
    guint kick;      /* source: the queue is looked at */
    guint look;      /* source: a look that was put off */
    gint64 lastLook; /* monotonic microseconds */
    DmChannelLateFunc late;
    gpointer opaque;
    DmChannelBusyFunc busy;
    gpointer busyOpaque;
};

static void
requestFree(ChannelRequest *request)
{
    g_free(request->parameter);
    g_free(request);
}

static const char *
requestWord(const ChannelRequest *request)
{
    return request->command == STUBDOM_COMMAND_LAST ? "start" : stubdomCommandInfo(request->command)->word;
}

static void
tellBusy(DmChannel *channel, StubdomCommand command)
{
    if (channel->busy) {
        channel->busy(command, channel->busyOpaque);
    }
}

static gboolean channelKick(gpointer opaque);

static void
scheduleKick(DmChannel *channel)
{
    if (!channel->kick) {
        channel->kick = g_idle_add(channelKick, channel);
    }
}

/* Ends the current request; nothing of @channel is touched after its callback but the queue's source. */
static void
finish(DmChannel *channel, const GError *error)
{
    ChannelRequest *request = g_steal_pointer(&channel->current);

    g_clear_handle_id(&channel->deadline, g_source_remove);
    if (!g_queue_is_empty(&channel->queue)) {
        scheduleKick(channel);
    }
    if (request) {
        request->func(error, channel->machine.devfn, request->opaque);
        requestFree(request);
    }
}

/* A value of the stubdomain's, no longer than it may be plus one byte, so that "too long" stays visible. */
static DmValue
readValue(DmChannel *channel, StubdomNode node, char **holder)
{
    gsize length = 0;

    *holder = dmStoreRead(channel->store, channel->paths[node], &length, NULL);
    return (DmValue){.data = *holder, .length = *holder ? length : 0};
}

/* In a transaction: it fails if the nodes go before it ends, so that none is made anew for a domain that is gone. */
static gboolean
isThere(DmChannel *channel, GError **error)
{
    g_autofree char *state = dmStoreRead(channel->store, channel->paths[STUBDOM_NODE_STATE], NULL, error);

    return state != NULL;
}

static gboolean
writeRunning(DmStore *store, gpointer opaque, GError **error)
{
    DmChannel *channel = opaque;

    return isThere(channel, error) &&
           dmStoreWrite(store, channel->paths[STUBDOM_NODE_STATE], stubdomStateName(STUBDOM_STATE_RUNNING), error);
}

static void
acknowledge(DmChannel *channel)
{
    g_autoptr(GError) error = NULL;

    if (!dmStoreTransaction(channel->store, writeRunning, channel, &error)) {
        g_message("%s", error->message);
    }
}

static void
finishWithVerdict(DmChannel *channel, DmVerdict verdict)
{
    g_autoptr(GError) error = NULL;
    const char *word = channel->current ? requestWord(channel->current) : "";

    if (verdict == DM_VERDICT_REFUSED) {
        g_set_error(&error, DM_ERROR, DM_ERROR_REFUSED, _("stubdomain %u answered '%s' with '%s'"), channel->stubdomain,
                    word, channel->machine.text);
    } else if (verdict == DM_VERDICT_MISBEHAVED) {
        g_set_error(&error, DM_ERROR, DM_ERROR_STUBDOMAIN,
                    _("stubdomain %u answered '%s' with '%s', which is no answer to it"), channel->stubdomain, word,
                    channel->machine.text);
    }
    finish(channel, error);
}

static void
lookNow(DmChannel *channel)
{
    g_autofree char *state = NULL;
    g_autofree char *parameter = NULL;
    g_autofree char *ret = NULL;
    DmValue stateValue;
    DmVerdict verdict;

    channel->lastLook = g_get_monotonic_time();
    if (channel->machine.phase == DM_CHANNEL_IDLE || channel->machine.phase == DM_CHANNEL_DEAD) {
        return;
    }
    /* state first: a success is written after its parameter */
    stateValue = readValue(channel, STUBDOM_NODE_STATE, &state);
    verdict = dmMachineObserve(&channel->machine, stateValue, readValue(channel, STUBDOM_NODE_PARAMETER, &parameter),
                               readValue(channel, STUBDOM_NODE_LOGDIRTY_RET, &ret));
    if (channel->machine.acknowledge) {
        acknowledge(channel);
    }
    if (verdict == DM_VERDICT_NOTHING) {
        return;
    }
    tellBusy(channel, STUBDOM_COMMAND_LAST);
    if (verdict == DM_VERDICT_LATE) {
        g_message("stubdomain %u answered '%s' after its deadline: '%s'", channel->stubdomain,
                  stubdomCommandInfo(channel->machine.command)->word, channel->machine.text);
        scheduleKick(channel);
        if (channel->late) {
            channel->late(channel->machine.command, channel->machine.parameter, channel->machine.text, channel->opaque);
        }
        return;
    }
    finishWithVerdict(channel, verdict);
}

static gboolean
lookLater(gpointer opaque)
{
    DmChannel *channel = opaque;

    channel->look = 0;
    lookNow(channel);
    return G_SOURCE_REMOVE;
}

static void
channelChanged(const char *changed, gpointer opaque)
{
    DmChannel *channel = opaque;
    gint64 since = g_get_monotonic_time() - channel->lastLook;

    if (channel->look) {
        return;
    }
    if (since >= LOOK_INTERVAL) {
        lookNow(channel);
    } else {
        channel->look = g_timeout_add((guint)((LOOK_INTERVAL - since) / 1000 + 1), lookLater, channel);
    }
}

static gboolean
channelExpired(gpointer opaque)
{
    DmChannel *channel = opaque;
    g_autoptr(GError) error = NULL;

    channel->deadline = 0;
    g_set_error(&error, DM_ERROR, DM_ERROR_TIMEOUT,
                channel->current->command == STUBDOM_COMMAND_LAST
                    ? _("stubdomain %u did not get ready within %u.%u seconds (waiting for '%s')")
                    : _("stubdomain %u did not answer within %u.%u seconds to '%s'"),
                channel->stubdomain, channel->current->timeout / 1000, channel->current->timeout / 100 % 10,
                channel->current->command == STUBDOM_COMMAND_LAST ? stubdomStateName(STUBDOM_STATE_RUNNING)
                                                                  : requestWord(channel->current));
    dmMachineExpire(&channel->machine);
    finish(channel, error);
    return G_SOURCE_REMOVE;
}

/* parameter and command in one transaction (rule 2). */
static gboolean
writeCommand(DmStore *store, gpointer opaque, GError **error)
{
    DmChannel *channel = opaque;
    ChannelRequest *request = channel->current;
    const StubdomCommandInfo *info = stubdomCommandInfo(request->command);

    if (!isThere(channel, error)) {
        return FALSE;
    }
    if (info->logdirty) {
        return dmStoreRemove(store, channel->paths[STUBDOM_NODE_LOGDIRTY_RET], error) &&
               dmStoreWrite(store, channel->paths[STUBDOM_NODE_LOGDIRTY_CMD], info->word, error);
    }
    if (request->parameter && !dmStoreWrite(store, channel->paths[STUBDOM_NODE_PARAMETER], request->parameter, error)) {
        return FALSE;
    }
    return dmStoreWrite(store, channel->paths[STUBDOM_NODE_COMMAND], info->word, error);
}

static gboolean
sendCurrent(DmChannel *channel, GError **error)
{
    ChannelRequest *request = channel->current;
    g_autofree char *state = NULL;

    if (!dmMachineBegin(&channel->machine, request->command, request->parameter,
                        readValue(channel, STUBDOM_NODE_STATE, &state), error)) {
        return FALSE;
    }
    tellBusy(channel, request->command); /* before the stubdomain can act on it */
    if (!dmStoreTransaction(channel->store, writeCommand, channel, error)) {
        channel->machine.phase = DM_CHANNEL_IDLE; /* nothing was sent */
        tellBusy(channel, STUBDOM_COMMAND_LAST);
        return FALSE;
    }
    return TRUE;
}

static gboolean
channelKick(gpointer opaque)
{
    DmChannel *channel = opaque;
    g_autoptr(GError) error = NULL;

    channel->kick = 0;
    if (channel->current || g_queue_is_empty(&channel->queue)) {
        return G_SOURCE_REMOVE;
    }
    channel->current = g_queue_pop_head(&channel->queue);
    if (sendCurrent(channel, &error)) {
        channel->deadline = g_timeout_add(channel->current->timeout, channelExpired, channel);
    } else {
        finish(channel, error);
    }
    return G_SOURCE_REMOVE;
}

DmChannel *
dmChannelNew(DmStore *store, guint stubdomain, guint guest, GError **error)
{
    DmChannel *channel = g_new0(DmChannel, 1);
    g_autofree char *directory = stubdomPathDeviceModel(stubdomain, guest);

    channel->store = store;
    channel->stubdomain = stubdomain;
    channel->guest = guest;
    g_queue_init(&channel->queue);
    dmMachineInit(&channel->machine);
    for (guint node = 0; node < STUBDOM_NODE_LAST; node++) {
        channel->paths[node] = stubdomPathNode(stubdomain, guest, (StubdomNode)node);
    }
    channel->watch = dmStoreWatch(store, directory, channelChanged, channel, error);
    if (!channel->watch) {
        dmChannelFree(channel);
        return NULL;
    }
    return channel;
}

void
dmChannelOnBusy(DmChannel *channel, DmChannelBusyFunc busy, gpointer opaque)
{
    channel->busy = busy;
    channel->busyOpaque = opaque;
}

static void
endAll(DmChannel *channel, const GError *error)
{
    GQueue queue = channel->queue;
    ChannelRequest *request;

    g_queue_init(&channel->queue);
    g_clear_handle_id(&channel->kick, g_source_remove);
    finish(channel, error);
    while ((request = g_queue_pop_head(&queue))) {
        request->func(error, 0, request->opaque);
        requestFree(request);
    }
}

void
dmChannelFree(DmChannel *channel)
{
    g_autoptr(GError) error = NULL;

    if (!channel) {
        return;
    }
    g_set_error(&error, DM_ERROR, DM_ERROR_CANCELLED, _("the device model of guest %u is ending"), channel->guest);
    dmStoreUnwatch(channel->watch);
    dmMachineDie(&channel->machine);
    endAll(channel, error);
    g_clear_handle_id(&channel->kick, g_source_remove);
    g_clear_handle_id(&channel->look, g_source_remove);
    for (guint node = 0; node < STUBDOM_NODE_LAST; node++) {
        g_free(channel->paths[node]);
    }
    g_free(channel);
}

void
dmChannelAwaitReady(DmChannel *channel, guint timeout, DmChannelFunc func, gpointer opaque)
{
    g_return_if_fail(channel->machine.phase == DM_CHANNEL_STARTING && !channel->current);

    channel->current = g_new0(ChannelRequest, 1);
    channel->current->command = STUBDOM_COMMAND_LAST;
    channel->current->timeout = timeout;
    channel->current->func = func;
    channel->current->opaque = opaque;
    channel->deadline = g_timeout_add(timeout, channelExpired, channel);
    channelChanged(NULL, channel);
}

void
dmChannelAdopt(DmChannel *channel, StubdomCommand command)
{
    g_return_if_fail(channel->machine.phase == DM_CHANNEL_STARTING && !channel->current);

    dmMachineAdopt(&channel->machine, command);
    channelChanged(NULL, channel);
}

void
dmChannelSend(DmChannel *channel, StubdomCommand command, const char *parameter, guint timeout, DmChannelFunc func,
              gpointer opaque)
{
    ChannelRequest *request = g_new0(ChannelRequest, 1);

    request->command = command;
    request->parameter = g_strdup(parameter);
    request->timeout = timeout;
    request->func = func;
    request->opaque = opaque;
    if (g_queue_get_length(&channel->queue) >= DM_CHANNEL_QUEUE_MAX) {
        g_autoptr(GError) error = g_error_new(DM_ERROR, DM_ERROR_BUSY, _("%u commands wait for stubdomain %u already"),
                                              DM_CHANNEL_QUEUE_MAX, channel->stubdomain);

        func(error, 0, opaque);
        requestFree(request);
        return;
    }
    g_queue_push_tail(&channel->queue, request);
    scheduleKick(channel);
}

void
dmChannelSetLate(DmChannel *channel, DmChannelLateFunc late, gpointer opaque)
{
    channel->late = late;
    channel->opaque = opaque;
}

void
dmChannelDie(DmChannel *channel, const char *end)
{
    g_autoptr(GError) error = NULL;

    if (end) {
        g_set_error(&error, DM_ERROR, DM_ERROR_DEAD, _("stubdomain %u is gone: %s"), channel->stubdomain, end);
    } else {
        g_set_error(&error, DM_ERROR, DM_ERROR_DEAD, _("stubdomain %u is gone"), channel->stubdomain);
    }
    dmMachineDie(&channel->machine);
    endAll(channel, error);
}

StubdomState
dmChannelState(DmChannel *channel)
{
    g_autofree char *state = NULL;
    DmValue value = readValue(channel, STUBDOM_NODE_STATE, &state);

    return stubdomStateParse(value.data, value.length);
}
