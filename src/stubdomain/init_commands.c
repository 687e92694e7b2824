/*
 * The stubdomain's side of the device-model command protocol, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "init_commands.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include "init_cdrom.h"
#include "init_cpu.h"
#include "init_error.h"
#include "init_log.h"
#include "init_pci.h"
#include "init_qemu.h"
#include "protocol/stubdom_command.h"
#include "protocol/stubdom_paths.h"

struct InitCommands {
    InitXenstore *store;
    InitQmp *qmp;
    InitPci *pci;
    InitCdrom *cdrom;
    InitCpu *cpus;
    char *nodes[STUBDOM_NODE_LAST]; /* relative paths */
    gboolean paused;
    char *saveConsole;
    int saveFd;                     /* open on it while a save is under way, else -1 */
    const StubdomCommandInfo *busy; /* the command under way, or NULL */
    gboolean logdirtyPending;       /* logdirty/cmd changed meanwhile */
};

typedef struct {
    StubdomCommand command;
    void (*start)(InitCommands *commands, const char *parameter);
} CommandHandler;

typedef void (*PciStart)(InitPci *pci, const InitPciAddress *address, InitPciDone done, gpointer data);

static void commandsNext(InitCommands *commands);

static void
writeNode(InitCommands *commands, StubdomNode node, const char *value)
{
    g_autoptr(GError) error = NULL;

    if (!initXenstoreWrite(commands->store, commands->nodes[node], value, &error))
        initLog("%s", error->message);
}

/* Ends the command under way; STUBDOM_STATE_NONE: it has no answer. */
static void
finish(InitCommands *commands, StubdomState answer)
{
    initLog("%s: %s", commands->busy->word, answer == STUBDOM_STATE_NONE ? "no answer" : stubdomStateName(answer));
    commands->busy = NULL;
    if (answer != STUBDOM_STATE_NONE)
        writeNode(commands, STUBDOM_NODE_STATE, stubdomStateName(answer));
    commandsNext(commands);
}

static void
finishError(InitCommands *commands, const GError *error)
{
    initLog("%s failed: %s", commands->busy->word, error->message);
    finish(commands, commands->busy->failure);
}

static void
done(const GError *error, gpointer data)
{
    InitCommands *commands = data;

    if (error)
        finishError(commands, error);
    else
        finish(commands, commands->busy->success);
}

/* --- save and continue --- */

static void
resumedAfterFailure(JsonNode *value, const GError *error, gpointer data)
{
    InitCommands *commands = data;

    if (error)
        initLog("%s", error->message);
    finish(commands, commands->busy->failure);
}

static void
saveFailed(InitCommands *commands, const GError *error)
{
    initLog("save failed: %s", error->message);
    if (commands->saveFd >= 0)
        close(commands->saveFd);
    commands->saveFd = -1;
    initQmpExecute(commands->qmp, "cont", NULL, resumedAfterFailure, commands);
}

static gboolean
saveDrained(gpointer data)
{
    InitCommands *commands = data;

    close(commands->saveFd);
    commands->saveFd = -1;
    commands->paused = TRUE;
    finish(commands, commands->busy->success);
    return G_SOURCE_REMOVE;
}

/* The other end decides how fast the console empties, so a thread waits for it. */
static gpointer
saveDrain(gpointer data)
{
    InitCommands *commands = data;

    (void)tcdrain(commands->saveFd);
    g_idle_add(saveDrained, commands);
    return NULL;
}

static void
saveWritten(JsonNode *value, const GError *error, gpointer data)
{
    InitCommands *commands = data;

    if (error)
        saveFailed(commands, error);
    else
        g_thread_unref(g_thread_new("save-drain", saveDrain, commands));
}

static void
saveStopped(JsonNode *value, const GError *error, gpointer data)
{
    InitCommands *commands = data;
    JsonObject *arguments = NULL;

    if (error) {
        saveFailed(commands, error);
        return;
    }
    arguments = json_object_new();
    json_object_set_string_member(arguments, "filename", commands->saveConsole);
    json_object_set_boolean_member(arguments, "live", FALSE);
    initQmpExecute(commands->qmp, "xen-save-devices-state", arguments, saveWritten, commands);
}

static void
save(InitCommands *commands, const char *parameter)
{
    struct termios settings = {0};

    if (commands->paused) {
        initLog("save: paused already");
        finish(commands, STUBDOM_STATE_NONE);
        return;
    }
    /* Open until it is drained: the raw setting ends with the last close. */
    commands->saveFd = open(commands->saveConsole, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (commands->saveFd < 0 || tcgetattr(commands->saveFd, &settings) < 0) {
        g_autoptr(GError) error =
            g_error_new(INIT_ERROR, INIT_ERROR_SYSTEM, "console 1 (%s) cannot be used", commands->saveConsole);

        saveFailed(commands, error);
        return;
    }
    cfmakeraw(&settings);
    (void)tcsetattr(commands->saveFd, TCSANOW, &settings);
    initQemuGive(commands->saveConsole);
    initQmpExecute(commands->qmp, "stop", NULL, saveStopped, commands);
}

static void
continued(JsonNode *value, const GError *error, gpointer data)
{
    InitCommands *commands = data;

    if (error) {
        finishError(commands, error);
        return;
    }
    commands->paused = FALSE;
    finish(commands, commands->busy->success);
}

static void
continueAfterSave(InitCommands *commands, const char *parameter)
{
    if (commands->paused)
        initQmpExecute(commands->qmp, "cont", NULL, continued, commands);
    else
        finish(commands, STUBDOM_STATE_NONE);
}

/* --- PCI --- */

static void
pciInserted(const GError *error, guint8 devfn, gpointer data)
{
    if (!error) {
        g_autofree char *place = g_strdup_printf("0x%02x", devfn);

        writeNode(data, STUBDOM_NODE_PARAMETER, place);
    }
    done(error, data);
}

static void
pciRemoved(const GError *error, guint8 devfn, gpointer data)
{
    done(error, data);
}

static void
pciStart(InitCommands *commands, const char *parameter, PciStart start, InitPciDone ended)
{
    g_autoptr(GError) error = NULL;
    InitPciAddress address;

    if (initPciAddressParse(parameter, &address, &error))
        start(commands->pci, &address, ended, commands);
    else
        finishError(commands, error);
}

static void
pciInsert(InitCommands *commands, const char *parameter)
{
    pciStart(commands, parameter, initPciInsert, pciInserted);
}

static void
pciRemove(InitCommands *commands, const char *parameter)
{
    pciStart(commands, parameter, initPciRemove, pciRemoved);
}

/* --- CD-ROM, virtual CPUs --- */

static void
cdromEject(InitCommands *commands, const char *parameter)
{
    initCdromEject(commands->cdrom, parameter, done, commands);
}

static void
cdromInsert(InitCommands *commands, const char *parameter)
{
    initCdromInsert(commands->cdrom, parameter, done, commands);
}

static void
cpuAdd(InitCommands *commands, const char *parameter)
{
    initCpuAdd(commands->cpus, parameter, done, commands);
}

/* --- logdirty --- */

static void
logdirtyDone(JsonNode *value, const GError *error, gpointer data)
{
    InitCommands *commands = data;

    if (error)
        initLog("logdirty failed: %s", error->message);
    else
        writeNode(commands, STUBDOM_NODE_LOGDIRTY_RET, commands->busy->word);
    commands->busy = NULL;
    commandsNext(commands);
}

static void
logdirty(InitCommands *commands, const char *parameter)
{
    JsonObject *arguments = json_object_new();

    json_object_set_boolean_member(arguments, "enable", commands->busy->command == STUBDOM_COMMAND_LOGDIRTY_ENABLE);
    initQmpExecute(commands->qmp, "xen-set-global-dirty-log", arguments, logdirtyDone, commands);
}

static const CommandHandler handlers[] = {
    {STUBDOM_COMMAND_SAVE, save},
    {STUBDOM_COMMAND_CONTINUE, continueAfterSave},
    {STUBDOM_COMMAND_PCI_INSERT, pciInsert},
    {STUBDOM_COMMAND_PCI_REMOVE, pciRemove},
    {STUBDOM_COMMAND_LOGDIRTY_ENABLE, logdirty},
    {STUBDOM_COMMAND_LOGDIRTY_DISABLE, logdirty},
    {STUBDOM_COMMAND_CDROM_EJECT, cdromEject},
    {STUBDOM_COMMAND_CDROM_INSERT, cdromInsert},
    {STUBDOM_COMMAND_CPU_ADD, cpuAdd},
};

static void
commandsRun(InitCommands *commands, const StubdomCommandInfo *info)
{
    g_autofree char *parameter = NULL;

    commands->busy = info;
    if (info->hasParameter) {
        parameter = initXenstoreReadOptional(commands->store, commands->nodes[STUBDOM_NODE_PARAMETER]);
        if (!parameter) {
            initLog("%s without a parameter", info->word);
            finish(commands, info->failure);
            return;
        }
    }
    initLog("%s %s", info->word, parameter ? parameter : "");
    for (gsize i = 0; i < G_N_ELEMENTS(handlers); i++) {
        if (handlers[i].command == info->command)
            handlers[i].start(commands, parameter);
    }
}

/* A toolstack writes one command at a time; one that comes early waits in its node. */
static void
commandsTake(gpointer data)
{
    InitCommands *commands = data;
    g_autofree char *word = NULL;
    g_autoptr(GError) error = NULL;
    StubdomCommand command = STUBDOM_COMMAND_LAST;

    if (commands->busy)
        return;
    word = initXenstoreReadOptional(commands->store, commands->nodes[STUBDOM_NODE_COMMAND]);
    /* Our own removal comes back as an event, too. */
    if (!word)
        return;
    if (!initXenstoreRemove(commands->store, commands->nodes[STUBDOM_NODE_COMMAND], &error)) {
        initLog("%s", error->message);
        return;
    }
    command = stubdomCommandParse(word);
    if (command == STUBDOM_COMMAND_LAST)
        initLog("unknown command '%s'", word);
    else
        commandsRun(commands, stubdomCommandInfo(command));
}

static const StubdomCommandInfo *
logdirtyParse(const char *word)
{
    for (guint i = 0; i < STUBDOM_COMMAND_LAST; i++) {
        const StubdomCommandInfo *info = stubdomCommandInfo((StubdomCommand)i);

        if (info->logdirty && g_str_equal(info->word, word))
            return info;
    }
    return NULL;
}

/* The toolstack removes logdirty/cmd itself when it has seen the answer. */
static void
logdirtyTake(gpointer data)
{
    InitCommands *commands = data;
    g_autofree char *word = initXenstoreReadOptional(commands->store, commands->nodes[STUBDOM_NODE_LOGDIRTY_CMD]);
    const StubdomCommandInfo *info = word ? logdirtyParse(word) : NULL;

    commands->logdirtyPending = commands->busy != NULL;
    if (!word || commands->busy)
        return;
    if (info)
        commandsRun(commands, info);
    else
        initLog("unknown logdirty command '%s'", word);
}

static void
commandsNext(InitCommands *commands)
{
    commandsTake(commands);
    if (!commands->busy && commands->logdirtyPending)
        logdirtyTake(commands);
}

InitCommands *
initCommandsNew(InitXenstore *store, InitUevents *uevents, InitQmp *qmp, guint guest, guint seconds, guint ejectSeconds,
                const char *saveConsole, GError **error)
{
    g_autoptr(InitCommands) commands = g_new0(InitCommands, 1);

    commands->store = store;
    commands->qmp = qmp;
    commands->saveConsole = g_strdup(saveConsole);
    commands->saveFd = -1;
    commands->pci = initPciNew(store, uevents, qmp, seconds, ejectSeconds);
    commands->cdrom = initCdromNew(uevents, qmp, "/dev", seconds);
    commands->cpus = initCpuNew(qmp);
    for (guint i = 0; i < STUBDOM_NODE_LAST; i++)
        commands->nodes[i] = g_strdup_printf("device-model/%u/%s", guest, stubdomNodeName((StubdomNode)i));

    if (!initXenstoreWrite(store, commands->nodes[STUBDOM_NODE_STATE], stubdomStateName(STUBDOM_STATE_RUNNING),
                           error) ||
        !initXenstoreWatch(store, commands->nodes[STUBDOM_NODE_COMMAND], commandsTake, commands, error) ||
        !initXenstoreWatch(store, commands->nodes[STUBDOM_NODE_LOGDIRTY_CMD], logdirtyTake, commands, error))
        return NULL;
    return g_steal_pointer(&commands);
}

void
initCommandsFree(InitCommands *commands)
{
    if (!commands)
        return;
    initPciFree(commands->pci);
    initCdromFree(commands->cdrom);
    initCpuFree(commands->cpus);
    for (guint i = 0; i < STUBDOM_NODE_LAST; i++)
        g_free(commands->nodes[i]);
    if (commands->saveFd >= 0)
        close(commands->saveFd);
    g_free(commands->saveConsole);
    g_free(commands);
}

void
initCommandsEvent(InitCommands *commands, const char *name, JsonNode *value)
{
    initPciEvent(commands->pci, name, value);
}
