/*
 * The guest's virtual CPUs, on the stubdomain's side, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "init_cpu.h"

#include <string.h>

#include "init_error.h"
#include "protocol/stubdom_command.h"

struct InitCpu {
    InitQmp *qmp;

    /* The operation under way; done is NULL without one. */
    guint cpu;
    InitCpuDone done;
    gpointer data;
};

static JsonObject *
object(JsonNode *node)
{
    return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

/* The place of @entry as one number that grows with socket, die, core and thread. */
static guint64
rank(JsonObject *entry)
{
    static const char *const members[] = {"socket-id", "die-id", "core-id", "thread-id"};
    JsonObject *place = entry ? object(json_object_get_member(entry, "props")) : NULL;
    guint64 value = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(members); i++) {
        JsonNode *node = place ? json_object_get_member(place, members[i]) : NULL;
        gint64 number = node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_INT64
                            ? json_node_get_int(node)
                            : 0;

        value = (value << 16) | (guint64)CLAMP(number, 0, G_MAXUINT16);
    }
    return value;
}

/* The entry of @list that has @cpu others before it, or NULL. */
static JsonObject *
find(JsonArray *list, guint cpu)
{
    guint length = MIN(json_array_get_length(list), STUBDOM_CPUS_MAX);

    for (guint i = 0; i < length; i++) {
        JsonObject *entry = object(json_array_get_element(list, i));
        guint before = 0;

        for (guint j = 0; j < length; j++)
            before += rank(object(json_array_get_element(list, j))) < rank(entry) ? 1 : 0;
        if (entry && before == cpu)
            return entry;
    }
    return NULL;
}

JsonObject *
initCpuArguments(JsonNode *list, guint cpu, gboolean *present, GError **error)
{
    JsonObject *entry = list && JSON_NODE_HOLDS_ARRAY(list) ? find(json_node_get_array(list), cpu) : NULL;
    JsonNode *type = entry ? json_object_get_member(entry, "type") : NULL;
    JsonObject *place = entry ? object(json_object_get_member(entry, "props")) : NULL;
    g_autofree char *id = g_strdup_printf("cpu-%u", cpu);
    g_autoptr(GList) names = NULL;
    JsonObject *arguments = NULL;

    *present = FALSE;
    if (!entry) {
        g_set_error(error, INIT_ERROR, INIT_ERROR_ARGUMENT, "QEMU has no place for virtual CPU %u", cpu);
        return NULL;
    }
    if (!type || !JSON_NODE_HOLDS_VALUE(type) || !json_node_get_string(type) || !place) {
        g_set_error(error, INIT_ERROR, INIT_ERROR_QMP, "QEMU does not say what virtual CPU %u is", cpu);
        return NULL;
    }
    *present = json_object_has_member(entry, "qom-path");
    arguments = json_object_new();
    json_object_set_string_member(arguments, "driver", json_node_get_string(type));
    json_object_set_string_member(arguments, "id", id);
    names = json_object_get_members(place);
    for (GList *name = names; name; name = name->next)
        json_object_set_member(arguments, name->data, json_node_copy(json_object_get_member(place, name->data)));
    return arguments;
}

InitCpu *
initCpuNew(InitQmp *qmp)
{
    InitCpu *cpus = g_new0(InitCpu, 1);

    cpus->qmp = qmp;
    return cpus;
}

void
initCpuFree(InitCpu *cpus)
{
    g_free(cpus);
}

static void
end(InitCpu *cpus, const GError *error)
{
    InitCpuDone done = cpus->done;

    cpus->done = NULL;
    done(error, cpus->data);
}

static void
added(JsonNode *value, const GError *error, gpointer data)
{
    end(data, error);
}

static void
listed(JsonNode *value, const GError *error, gpointer data)
{
    InitCpu *cpus = data;
    g_autoptr(GError) mistake = NULL;
    gboolean present = FALSE;
    JsonObject *arguments = error ? NULL : initCpuArguments(value, cpus->cpu, &present, &mistake);

    if (!arguments) {
        end(cpus, error ? error : mistake);
    } else if (present) {
        json_object_unref(arguments);
        end(cpus, NULL);
    } else {
        initQmpExecute(cpus->qmp, "device_add", arguments, added, cpus);
    }
}

void
initCpuAdd(InitCpu *cpus, const char *parameter, InitCpuDone done, gpointer data)
{
    g_assert(!cpus->done);
    if (!stubdomCpuParse(parameter, strlen(parameter), &cpus->cpu)) {
        g_autoptr(GError) error =
            g_error_new(INIT_ERROR, INIT_ERROR_ARGUMENT, "'%s' is no virtual CPU's number", parameter);

        done(error, data);
        return;
    }
    cpus->done = done;
    cpus->data = data;
    initQmpExecute(cpus->qmp, "query-hotpluggable-cpus", NULL, listed, cpus);
}
