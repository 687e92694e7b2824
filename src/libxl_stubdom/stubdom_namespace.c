/*
 * The driver's own elements in domain XML
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Strict, unlike most of libvirt's parser: what is not understood is an error,
 * since a misspelt limit would otherwise be none.
 */

#include "stubdom_compat.h"

#include "stubdom_namespace.h"

#include "domain_conf.h"
#include "virpci.h"
#include "virstring.h"
#include "virutil.h"

#include "stubdom_settings.h"

#define KIB 1024ULL /* bytes */
#define NAMES_MAX 5 /* attributes of an element, and a NULL */

/* The elements in <stubdom:stubdomain> and their attributes. */
static const struct {
    const char *name;
    const char *attributes[NAMES_MAX];
    bool many;
} elements[] = {
    {"image", {"name"}, false},
    {"memory", {"unit"}, false},
    {"timeout", {"start", "command"}, false},
    {"limit", {"save", "log", "unit"}, false},
    {"hostdev", {"address", "reset", "permissive", "unplug"}, true},
};

static int
checkAttributes(xmlNodePtr node, const char *const *known)
{
    for (xmlAttrPtr attribute = node->properties; attribute; attribute = attribute->next) {
        size_t i = 0;

        while (i < NAMES_MAX && known[i] && STRNEQ(known[i], (const char *)attribute->name)) {
            i++;
        }
        if (i == NAMES_MAX || !known[i]) {
            virReportError(VIR_ERR_CONFIG_UNSUPPORTED,
                           _("element <stubdom:%s> has an attribute '%s', which this driver does not know"), node->name,
                           attribute->name);
            return -1;
        }
    }
    return 0;
}

static int
checkElement(xmlNodePtr node, unsigned int *seen)
{
    for (size_t i = 0; i < G_N_ELEMENTS(elements); i++) {
        if (STRNEQ(elements[i].name, (const char *)node->name)) {
            continue;
        }
        if ((*seen & (1U << i)) && !elements[i].many) {
            virReportError(VIR_ERR_XML_ERROR, _("element <stubdom:%s> is there twice"), node->name);
            return -1;
        }
        *seen |= 1U << i;
        return checkAttributes(node, elements[i].attributes);
    }
    virReportError(VIR_ERR_CONFIG_UNSUPPORTED, _("this driver does not know the element <stubdom:%s>"), node->name);
    return -1;
}

static int
checkElements(xmlNodePtr parent)
{
    const char *none[NAMES_MAX] = {NULL};
    unsigned int seen = 0;

    if (checkAttributes(parent, none) < 0) {
        return -1;
    }
    for (xmlNodePtr node = parent->children; node; node = node->next) {
        if (node->type == XML_ELEMENT_NODE && checkElement(node, &seen) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
parseImage(xmlXPathContextPtr ctxt, StubdomSettings *settings)
{
    if (!virXPathNode("./stubdom:image", ctxt)) {
        return 0;
    }
    settings->image = virXPathString("string(./stubdom:image/@name)", ctxt);
    if (!settings->image || !stubdomSettingsImageIsValid(settings->image)) {
        virReportError(
            VIR_ERR_XML_ERROR, "%s",
            _("element <stubdom:image> needs an attribute 'name': the name of an image, or the absolute path of "
              "a descriptor"));
        return -1;
    }
    return 0;
}

static int
parseMemory(xmlXPathContextPtr ctxt, StubdomSettings *settings)
{
    unsigned long long bytes = 0;
    int found = virParseScaledValue("./stubdom:memory", NULL, ctxt, &bytes, KIB, G_MAXINT64, false);

    if (found < 0) {
        return -1;
    }
    if (found == 0 && !virXPathNode("./stubdom:memory", ctxt)) {
        return 0;
    }
    settings->memory = VIR_ROUND_UP(VIR_DIV_UP(bytes, KIB), 1024);
    if (settings->memory < STUBDOM_MEMORY_MIN || settings->memory > STUBDOM_MEMORY_MAX) {
        virReportError(VIR_ERR_CONFIG_UNSUPPORTED, _("element <stubdom:memory> must be from %llu to %llu KiB"),
                       STUBDOM_MEMORY_MIN, STUBDOM_MEMORY_MAX);
        return -1;
    }
    return 0;
}

static int
parseTimeout(xmlXPathContextPtr ctxt, const char *name, unsigned int *timeout)
{
    g_autofree char *path = g_strdup_printf("string(./stubdom:timeout/@%s)", name);
    g_autofree char *text = virXPathString(path, ctxt);

    if (!text) {
        return 0;
    }
    if (virStrToLong_uip(text, NULL, 10, timeout) < 0 || *timeout == 0 || *timeout > STUBDOM_TIMEOUT_MAX) {
        virReportError(VIR_ERR_CONFIG_UNSUPPORTED,
                       _("attribute '%s' of element <stubdom:timeout> is '%s'; it must be from 1 to %u seconds"), name,
                       text, STUBDOM_TIMEOUT_MAX);
        return -1;
    }
    return 0;
}

static int
parseLimit(xmlXPathContextPtr ctxt, const char *name, unsigned long long *limit)
{
    g_autofree char *path = g_strdup_printf("string(./stubdom:limit/@%s)", name);
    g_autofree char *text = virXPathString(path, ctxt);
    g_autofree char *unit = virXPathString("string(./stubdom:limit/@unit)", ctxt);

    if (!text) {
        return 0;
    }
    if (virStrToLong_ullp(text, NULL, 10, limit) < 0 ||
        virScaleInteger(limit, unit, KIB, STUBDOM_LIMIT_MAX * KIB) < 0 || *limit < STUBDOM_LIMIT_MIN * KIB) {
        virReportError(VIR_ERR_CONFIG_UNSUPPORTED,
                       _("attribute '%s' of element <stubdom:limit> is '%s'; it must be from %llu to %llu KiB"), name,
                       text, STUBDOM_LIMIT_MIN, STUBDOM_LIMIT_MAX);
        return -1;
    }
    *limit = VIR_DIV_UP(*limit, KIB);
    return 0;
}

/* An attribute with two values: whether it has the second, @yes. */
static int
parseChoice(xmlNodePtr node, const char *name, const char *no, const char *yes, bool *result)
{
    g_autofree char *value = virXMLPropString(node, name);

    *result = STREQ_NULLABLE(value, yes);
    if (value && !*result && STRNEQ(value, no)) {
        virReportError(VIR_ERR_XML_ERROR,
                       _("attribute '%s' of element <stubdom:hostdev> is '%s'; it must be '%s' or '%s'"), name, value,
                       no, yes);
        return -1;
    }
    return 0;
}

static int
parseHostdev(xmlNodePtr node, StubdomSettings *settings)
{
    StubdomHostdevSettings *hostdev = &settings->hostdevs[settings->nhostdevs];
    g_autofree char *text = virXMLPropString(node, "address");
    virPCIDeviceAddress address = {0};

    if (!text || virPCIDeviceAddressParse(text, &address) < 0 || !virPCIDeviceAddressIsValid(&address, false)) {
        virReportError(VIR_ERR_XML_ERROR,
                       _("attribute 'address' of element <stubdom:hostdev> is '%s'; it must be the address of a PCI "
                         "device of the host, as 0000:03:00.0"),
                       NULLSTR(text));
        return -1;
    }
    hostdev->address = virPCIDeviceAddressAsString(&address);
    if (stubdomSettingsHostdev(settings, hostdev->address)->address) {
        virReportError(VIR_ERR_XML_ERROR, _("element <stubdom:hostdev> is there twice for '%s'"), hostdev->address);
        g_clear_pointer(&hostdev->address, g_free);
        return -1;
    }
    settings->nhostdevs++;
    if (parseChoice(node, "reset", "required", "optional", &hostdev->resetOptional) < 0 ||
        parseChoice(node, "permissive", "no", "yes", &hostdev->permissive) < 0) {
        return -1;
    }
    return parseChoice(node, "unplug", "ask", "force", &hostdev->forced);
}

static int
parseHostdevs(xmlXPathContextPtr ctxt, StubdomSettings *settings)
{
    g_autofree xmlNodePtr *nodes = NULL;
    int count = virXPathNodeSet("./stubdom:hostdev", ctxt, &nodes);

    if (count < 0) {
        return -1;
    }
    settings->hostdevs = g_new0(StubdomHostdevSettings, count);
    for (int i = 0; i < count; i++) {
        if (parseHostdev(nodes[i], settings) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
parseSettings(xmlXPathContextPtr ctxt, StubdomSettings *settings)
{
    if (checkElements(ctxt->node) < 0 || parseImage(ctxt, settings) < 0 || parseMemory(ctxt, settings) < 0 ||
        parseTimeout(ctxt, "start", &settings->startTimeout) < 0 ||
        parseTimeout(ctxt, "command", &settings->commandTimeout) < 0 ||
        parseLimit(ctxt, "save", &settings->saveLimit) < 0 || parseLimit(ctxt, "log", &settings->logLimit) < 0 ||
        parseHostdevs(ctxt, settings) < 0) {
        return -1;
    }
    return 0;
}

static int
namespaceParse(xmlXPathContextPtr ctxt, void **data)
{
    VIR_XPATH_NODE_AUTORESTORE(ctxt)
    g_autoptr(StubdomSettings) settings = g_new0(StubdomSettings, 1);
    g_autofree char *said = NULL;
    xmlNodePtr node = NULL;
    g_autofree xmlNodePtr *nodes = NULL;
    int count = virXPathNodeSet("./stubdom:*", ctxt, &nodes);

    if (count < 0) {
        return -1;
    }
    for (int i = 0; i < count; i++) {
        if (STRNEQ((const char *)nodes[i]->name, "stubdomain") || node) {
            virReportError(VIR_ERR_CONFIG_UNSUPPORTED,
                           _("a domain can have one element <stubdom:stubdomain> and no <stubdom:%s>"), nodes[i]->name);
            return -1;
        }
        node = nodes[i];
    }
    if (!node) {
        return 0;
    }
    ctxt->node = node;
    if (parseSettings(ctxt, settings) < 0) {
        return -1;
    }
    said = stubdomSettingsToOption(settings, NULL, NULL);
    if (said || settings->nhostdevs) {
        *data = g_steal_pointer(&settings); /* an empty element is as good as none */
    }
    return 0;
}

static void
formatHostdev(virBuffer *buffer, const StubdomHostdevSettings *hostdev)
{
    virBufferAsprintf(buffer, "<stubdom:hostdev address='%s'", hostdev->address);
    virBufferAdd(buffer, hostdev->resetOptional ? " reset='optional'" : "", -1);
    virBufferAdd(buffer, hostdev->permissive ? " permissive='yes'" : "", -1);
    virBufferAdd(buffer, hostdev->forced ? " unplug='force'" : "", -1);
    virBufferAddLit(buffer, "/>\n");
}

static int
namespaceFormat(virBuffer *buf, void *data)
{
    const StubdomSettings *settings = data;
    g_auto(virBuffer) children = VIR_BUFFER_INIT_CHILD(buf);
    g_auto(virBuffer) timeout = VIR_BUFFER_INITIALIZER;
    g_auto(virBuffer) limit = VIR_BUFFER_INITIALIZER;

    virBufferEscapeString(&children, "<stubdom:image name='%s'/>\n", settings->image);
    if (settings->memory) {
        virBufferAsprintf(&children, "<stubdom:memory unit='KiB'>%llu</stubdom:memory>\n", settings->memory);
    }
    if (settings->startTimeout) {
        virBufferAsprintf(&timeout, " start='%u'", settings->startTimeout);
    }
    if (settings->commandTimeout) {
        virBufferAsprintf(&timeout, " command='%u'", settings->commandTimeout);
    }
    if (settings->saveLimit) {
        virBufferAsprintf(&limit, " save='%llu'", settings->saveLimit);
    }
    if (settings->logLimit) {
        virBufferAsprintf(&limit, " log='%llu'", settings->logLimit);
    }
    if (virBufferUse(&limit) > 0) {
        virBufferAddLit(&limit, " unit='KiB'");
    }
    virXMLFormatElement(&children, "stubdom:timeout", &timeout, NULL);
    virXMLFormatElement(&children, "stubdom:limit", &limit, NULL);
    for (size_t i = 0; i < settings->nhostdevs; i++) {
        formatHostdev(&children, &settings->hostdevs[i]);
    }
    virXMLFormatElement(buf, "stubdom:stubdomain", NULL, &children);
    return 0;
}

static void
namespaceFree(void *data)
{
    stubdomSettingsFree(data);
}

virXMLNamespace stubdomNamespace = {
    .parse = namespaceParse,
    .free = namespaceFree,
    .format = namespaceFormat,
    .prefix = "stubdom",
    .uri = "http://libvirt.org/schemas/domain/stubdom/1.0",
};
