/*
 * Drivers of libvirt that the driver under test asks, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A connection to one of them is opened and closed and knows nothing else.
 */

#include "fake_drivers.h"

static virDrvOpenStatus
connectOpen(virConnectPtr conn, virConnectAuthPtr auth, virConf *conf, unsigned int flags)
{
    return VIR_DRV_OPEN_SUCCESS;
}

static int
connectClose(virConnectPtr conn)
{
    return 0;
}

static virHypervisorDriver hypervisorDriver = {
    .name = "fake",
    .connectOpen = connectOpen,
    .connectClose = connectClose,
};

static virConnectDriver connectDriver = {
    .localOnly = true,
    .uriSchemes = (const char *[]){"network", "nodedev", NULL},
    .hypervisorDriver = &hypervisorDriver,
    .networkDriver = &fakeNetworkDriver,
    .nodeDeviceDriver = &fakeNodedevDriver,
};

void
fakeDriversRegister(void)
{
    if (virSetSharedNodeDeviceDriver(&fakeNodedevDriver) < 0 || virRegisterConnectDriver(&connectDriver, false) < 0) {
        g_error("%s", virGetLastErrorMessage());
    }
}
