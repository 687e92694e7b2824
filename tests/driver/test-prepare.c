/*
 * What a domain needs of other drivers before it is started
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The pools are those of libvirt's own test driver. It has networks, but no
 * ports of networks: the few functions of a network driver that allocate one
 * are replaced here, and answer what the test wants a network to be.
 */

#include "stubdom_compat.h"

#include "datatypes.h"
#include "domain_conf.h"
#include "driver.h"
#include "viruuid.h"

#include "stubdom_prepare.h"

#define NETWORK "<interface type='network'><mac address='00:16:3e:00:00:0%d'/><source network='default'/></interface>"

static virDomainObj *asked; /* whose devices the drivers are asked about */
static const char *plug;    /* how the network connects a guest */
static int ports;           /* allocated now */
static int allocations;     /* so far */
static int fails;           /* the allocation that fails, or 0 */

/* Who asks other drivers may wait for ever, so nobody else may have to wait for the domain. */
static void
checkUnlocked(void)
{
    g_assert_cmpint(pthread_mutex_trylock(&asked->parent.lock.lock), ==, 0);
    virObjectUnlock(asked);
}

static virNetworkPortPtr
portCreate(virNetworkPtr network, const char *xml, unsigned int flags)
{
    unsigned char uuid[VIR_UUID_BUFLEN] = {0};

    checkUnlocked();
    if (++allocations == fails) {
        virReportError(VIR_ERR_OPERATION_FAILED, "%s", "no port is free");
        return NULL;
    }
    ports++;
    uuid[0] = 1;
    uuid[VIR_UUID_BUFLEN - 1] = (unsigned char)allocations;
    return virGetNetworkPort(network, uuid);
}

static virNetworkPortPtr
portLookup(virNetworkPtr network, const unsigned char *uuid)
{
    checkUnlocked();
    return virGetNetworkPort(network, uuid);
}

static char *
portXml(virNetworkPortPtr port, unsigned int flags)
{
    return g_strdup_printf("<networkport><uuid>5d744f21-ba4a-4d6e-bdb2-30a35ff3207d</uuid><owner><name>a</name>"
                           "<uuid>d54df46f-1ab5-4a22-8618-4560ef5fac2c</uuid></owner><mac address='00:16:3e:00:00:01'/>"
                           "%s</networkport>",
                           plug);
}

static int
portDelete(virNetworkPortPtr port, unsigned int flags)
{
    ports--;
    return 0;
}

typedef struct {
    virConnectPtr connection;
    virNetworkDriver *own;
    virNetworkDriver driver;
    virDomainXMLOption *xmlopt;
} Fixture;

static void
setUp(Fixture *fixture, gconstpointer unused)
{
    fixture->connection = virConnectOpen("test:///default");
    g_assert_nonnull(fixture->connection);
    fixture->own = fixture->connection->networkDriver;
    fixture->driver = *fixture->own;
    fixture->driver.networkPortCreateXML = portCreate;
    fixture->driver.networkPortLookupByUUID = portLookup;
    fixture->driver.networkPortGetXMLDesc = portXml;
    fixture->driver.networkPortDelete = portDelete;
    fixture->connection->networkDriver = &fixture->driver;
    g_assert_cmpint(virSetConnectNetwork(fixture->connection), ==, 0);
    g_assert_cmpint(virSetConnectStorage(fixture->connection), ==, 0);
    fixture->xmlopt = virDomainXMLOptionNew(NULL, NULL, NULL, NULL, NULL, NULL);
    plug = "<plug type='network' bridge='virbr7'/>";
    ports = 0;
    allocations = 0;
    fails = 0;
}

static void
tearDown(Fixture *fixture, gconstpointer unused)
{
    g_assert_cmpint(ports, ==, 0);
    virSetConnectNetwork(NULL);
    virSetConnectStorage(NULL);
    fixture->connection->networkDriver = fixture->own;
    virConnectClose(fixture->connection);
    virObjectUnref(fixture->xmlopt);
}

/* Locked, as with a job; free with end(). */
static virDomainObj *
domain(const Fixture *fixture, const char *devices)
{
    virDomainObj *vm = virDomainObjNew(fixture->xmlopt);
    g_autofree char *xml =
        g_strdup_printf("<domain type='test'><name>a</name><uuid>d54df46f-1ab5-4a22-8618-4560ef5fac2c</uuid>"
                        "<memory>65536</memory><os><type arch='x86_64'>hvm</type></os><devices>%s</devices></domain>",
                        devices);

    asked = vm;
    vm->def = virDomainDefParseString(xml, fixture->xmlopt, NULL, VIR_DOMAIN_DEF_PARSE_SKIP_VALIDATE);
    g_assert_nonnull(vm->def);
    return vm;
}

static void
end(virDomainObj *vm)
{
    virDomainObjEndAPI(&vm);
}

static void
refused(const char *words)
{
    g_assert_nonnull(strstr(virGetLastErrorMessage(), words));
    virResetLastError();
}

static void
testNetwork(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *devices = g_strdup_printf(NETWORK NETWORK, 1, 2);
    virDomainObj *vm = domain(fixture, devices);

    g_assert_cmpint(stubdomDomainPrepare(vm), ==, 0);
    g_assert_cmpint(ports, ==, 2);
    g_assert_cmpstr(virDomainNetGetActualBridgeName(vm->def->nets[1]), ==, "virbr7");
    g_assert_cmpint(vm->def->nets[1]->data.network.portid[VIR_UUID_BUFLEN - 1], ==, 2);
    stubdomDomainRelease(vm);
    g_assert_cmpint(ports, ==, 0);
    stubdomDomainRelease(vm); /* once is enough, twice does no harm */
    end(vm);
}

static void
testBridge(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *devices = g_strdup_printf(NETWORK, 1);
    virDomainObj *vm = domain(fixture, devices);

    plug = "<plug type='bridge' bridge='br7'/>";
    g_assert_cmpint(stubdomDomainPrepare(vm), ==, 0);
    g_assert_cmpint(virDomainNetGetActualType(vm->def->nets[0]), ==, VIR_DOMAIN_NET_TYPE_BRIDGE);
    g_assert_cmpstr(virDomainNetGetActualBridgeName(vm->def->nets[0]), ==, "br7");
    stubdomDomainRelease(vm);
    end(vm);
}

#define FUNCTION                                                                                                       \
    "<plug type='hostdev-pci' managed='yes'>%s<address domain='0x0000' bus='0x05' slot='0x10' function='0x1'/></plug>"

/* A network of virtual functions: the card is a device of the host as long as the domain runs. */
static void
testFunction(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *devices = g_strdup_printf(NETWORK NETWORK, 1, 2);
    g_autofree char *function = g_strdup_printf(FUNCTION, "");
    virDomainObj *vm = domain(fixture, devices);
    virDomainDef *def = vm->def;

    plug = function;
    g_assert_cmpint(stubdomDomainPrepare(vm), ==, 0);
    g_assert_cmpint(virDomainNetGetActualType(def->nets[0]), ==, VIR_DOMAIN_NET_TYPE_HOSTDEV);
    g_assert_cmpint(def->nhostdevs, ==, 2);
    g_assert_true(def->hostdevs[0] == virDomainNetGetActualHostdev(def->nets[0]));
    g_assert_true(def->hostdevs[0]->parentnet == def->nets[0]);
    g_assert_true(def->hostdevs[0]->info == &def->nets[0]->info);
    g_assert_cmpstr(stubdomCompatPciDriver(def->hostdevs[0]), ==, "xen");
    g_assert_true(def->hostdevs[0]->managed);
    g_assert_cmpint(def->hostdevs[0]->source.subsys.u.pci.addr.slot, ==, 0x10);
    stubdomDomainRelease(vm);
    g_assert_cmpint(def->nhostdevs, ==, 0);
    g_assert_cmpint(ports, ==, 0);
    end(vm);
}

static void
testFunctionOfKvm(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *devices = g_strdup_printf(NETWORK, 1);
    g_autofree char *function = g_strdup_printf(FUNCTION, "<driver name='vfio'/>");
    virDomainObj *vm = domain(fixture, devices);
    virDomainDef *def = vm->def;

    plug = function;
    g_assert_cmpint(stubdomDomainPrepare(vm), ==, -1);
    refused("its driver is 'vfio'");
    g_assert_cmpint(def->nhostdevs, ==, 0);
    g_assert_cmpint(ports, ==, 0);
    end(vm);
}

/* What Xen cannot be connected to, and a port that cannot be had: nothing stays allocated. */
static void
testRefused(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *devices = g_strdup_printf(NETWORK NETWORK, 1, 2);
    virDomainObj *vm = domain(fixture, devices);

    plug = "<plug type='direct' dev='eth0' mode='vepa'/>";
    g_assert_cmpint(stubdomDomainPrepare(vm), ==, -1);
    refused("the network 'default' connects guests by 'direct'");
    g_assert_cmpint(ports, ==, 0);
    plug = "<plug type='network' bridge='virbr7'/>";
    fails = allocations + 2;
    g_assert_cmpint(stubdomDomainPrepare(vm), ==, -1);
    refused("no port is free");
    g_assert_cmpint(ports, ==, 0);
    g_assert_null(virDomainNetGetActualBridgeName(vm->def->nets[0]));
    end(vm);
}

static void
testLimit(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *devices = g_strdup_printf(NETWORK, 1);
    virDomainObj *vm = domain(fixture, devices);

    plug = "<bandwidth><inbound average='1000'/></bandwidth><plug type='network' bridge='virbr7'/>";
    g_assert_cmpint(stubdomDomainPrepare(vm), ==, -1);
    refused("limit for what it receives");
    end(vm);
}

static void
testNoNetwork(Fixture *fixture, gconstpointer unused)
{
    virDomainObj *vm = domain(
        fixture, "<interface type='network'><mac address='00:16:3e:00:00:01'/><source network='none'/></interface>");

    g_assert_cmpint(stubdomDomainPrepare(vm), ==, -1);
    refused("none");
    end(vm);
}

static void
testReclaim(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *devices =
        g_strdup_printf(NETWORK "<interface type='bridge'><source bridge='br0'/></interface>", 1);
    virDomainObj *vm = domain(fixture, devices);

    g_assert_cmpint(stubdomDomainPrepare(vm), ==, 0);
    vm->def->id = 32000;
    stubdomDomainReclaim(vm);
    g_assert_cmpint(ports, ==, 1); /* the network driver still has it */
    g_assert_cmpstr(vm->def->nets[0]->ifname, ==, "vif32000.0");
    stubdomDomainRelease(vm);
    g_assert_null(vm->def->nets[0]->ifname);
    end(vm);
}

static void
testVolume(Fixture *fixture, gconstpointer unused)
{
    virDomainObj *vm = domain(
        fixture, "<disk type='volume'><source pool='default-pool' volume='a.img'/><target dev='hda' bus='ide'/></disk>"
                 "<disk type='file'><source file='/srv/b.img'/><target dev='hdb' bus='ide'/></disk>");
    virStoragePoolPtr pool = virStoragePoolLookupByName(fixture->connection, "default-pool");
    virStorageVolPtr volume;

    g_assert_cmpint(stubdomDomainPrepare(vm), ==, -1);
    refused("a.img");
    volume = virStorageVolCreateXML(pool, "<volume><name>a.img</name><capacity>1048576</capacity></volume>", 0);
    g_assert_nonnull(volume);
    g_assert_cmpint(stubdomDomainPrepare(vm), ==, 0);
    g_assert_cmpstr(virDomainDiskGetSource(vm->def->disks[0]), ==, "/default-pool/a.img");
    g_assert_cmpstr(virDomainDiskGetSource(vm->def->disks[1]), ==, "/srv/b.img");
    g_assert_cmpint(virStorageVolDelete(volume, 0), ==, 0);
    virStorageVolFree(volume);
    volume = virStorageVolCreateXML(pool,
                                    "<volume><name>a.img</name><capacity>1048576</capacity><target>"
                                    "<format type='qcow2'/></target></volume>",
                                    0);
    g_assert_nonnull(volume);
    g_assert_cmpint(stubdomDomainPrepare(vm), ==, -1);
    refused("'a.img' has the format 'qcow2'");
    g_assert_cmpint(virStorageVolDelete(volume, 0), ==, 0);
    virStorageVolFree(volume);
    virStoragePoolFree(pool);
    end(vm);
}

/* Errors are looked at, not printed. */
static void
quiet(void *opaque, virErrorPtr error)
{
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*func)(Fixture *fixture, gconstpointer unused);
    } tests[] = {
        {"/prepare/network", testNetwork},
        {"/prepare/bridge", testBridge},
        {"/prepare/refused", testRefused},
        {"/prepare/limit", testLimit},
        {"/prepare/no-network", testNoNetwork},
        {"/prepare/reclaim", testReclaim},
        {"/prepare/volume", testVolume},
        {"/prepare/function", testFunction},
        {"/prepare/function-of-kvm", testFunctionOfKvm},
    };

    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(virInitialize(), ==, 0);
    virSetErrorFunc(NULL, quiet);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_test_add(tests[i].name, Fixture, NULL, setUp, tests[i].func, tearDown);
    }
    return g_test_run();
}
