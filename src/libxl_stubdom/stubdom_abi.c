/*
 * Whether the running libvirt is the one the driver was compiled against
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The dynamic linker refuses another upstream version by itself, as private
 * symbols carry it. It cannot see a build of the same version with another
 * layout. libvirt's objects are GObjects, so the library knows their true
 * sizes; virDomainDef is not, so there the allocation is measured. This is no
 * proof, but a changed member nearly always changes one of these sizes.
 */

#include "stubdom_compat.h"

#include "stubdom_abi.h"

#include <malloc.h>

#include "capabilities.h"
#include "datatypes.h"
#include "domain_conf.h"
#include "virdomainobjlist.h"

/* What malloc may add to a request: its granularity, and a rest too small to be a chunk of its own. */
#define ALLOCATION_SLACK 48

static bool
differs(const char *what, size_t library, size_t header)
{
    fprintf(stderr, "stubdom driver: not loaded: %s is %zu in this libvirt and %zu in the one it was built for\n", what,
            library, header);
    return false;
}

static bool
objectMatches(const char *what, void *object, size_t header)
{
    GTypeQuery query;

    g_type_query(G_OBJECT_TYPE(object), &query);
    return query.instance_size == header || differs(what, query.instance_size, header);
}

static bool
definitionMatches(const virDomainDef *def)
{
    size_t usable = malloc_usable_size((void *)def);

    return (usable >= sizeof(*def) && usable < sizeof(*def) + ALLOCATION_SLACK) ||
           differs("virDomainDef", usable, sizeof(*def));
}

bool
stubdomAbiMatches(void)
{
    virDomainDefParserConfig config = {.defArch = VIR_ARCH_X86_64};
    g_autoptr(virDomainXMLOption) xmlopt = NULL;
    g_autoptr(virCaps) caps = NULL;
    g_autoptr(virDomainDef) def = NULL;
    virConnectPtr conn = NULL;
    virDomainObj *vm = NULL;
    unsigned long version = 0;
    bool matches;

    if (virGetVersion(&version, NULL, NULL) < 0 || version != LIBVIR_VERSION_NUMBER) {
        return differs("the version", version, LIBVIR_VERSION_NUMBER);
    }
    xmlopt = virDomainXMLOptionNew(&config, NULL, NULL, NULL, NULL, NULL);
    caps = virCapabilitiesNew(VIR_ARCH_X86_64, false, false);
    conn = virGetConnect();
    if (!xmlopt || !caps || !conn || !(def = virDomainDefNew(xmlopt)) || !(vm = virDomainObjNew(xmlopt))) {
        virObjectUnref(conn);
        return false;
    }
    matches = objectMatches("virConnect", conn, sizeof(*conn)) && objectMatches("virCaps", caps, sizeof(*caps)) &&
              objectMatches("virDomainObj", vm, sizeof(*vm)) &&
              objectMatches("virDomainXMLOption", xmlopt, sizeof(*xmlopt)) && definitionMatches(def);
    virDomainObjEndAPI(&vm);
    virObjectUnref(conn);
    return matches;
}
