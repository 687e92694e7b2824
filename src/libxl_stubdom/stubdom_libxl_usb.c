/*
 * A domain's USB and input devices as libxl wants them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A PC has a keyboard and a mouse of its own (ps2); others are on the USB bus
 * that QEMU emulates in the stubdomain. libxl either has devices on its plain
 * controller or a controller of another version without devices. Devices of the
 * host are none of these: they would need a way from dom0 into the stubdomain.
 */

#include "stubdom_compat.h"

#include "stubdom_libxl_usb.h"

#include "stubdom_refusal.h"

#define USB_VERSION_XHCI 3

static int
buildInputs(libxl_domain_build_info *info, const virDomainDef *def)
{
    static const char *const names[VIR_DOMAIN_INPUT_TYPE_LAST] = {
        [VIR_DOMAIN_INPUT_TYPE_MOUSE] = "mouse",
        [VIR_DOMAIN_INPUT_TYPE_TABLET] = "tablet",
        [VIR_DOMAIN_INPUT_TYPE_KBD] = "keyboard",
    };
    size_t count = 0;

    for (size_t i = 0; i < def->ninputs; i++) {
        const virDomainInputDef *input = def->inputs[i];
        const char *type = virDomainInputTypeToString(input->type);

        if (input->bus == VIR_DOMAIN_INPUT_BUS_PS2) {
            continue;
        }
        if (input->bus != VIR_DOMAIN_INPUT_BUS_USB || !names[input->type]) {
            return stubdomRefuse(
                "input", type,
                _("its bus is '%s'; possible are mouse and keyboard of the bus 'ps2', and mouse, tablet "
                  "and keyboard of the bus 'usb'"),
                virDomainInputBusTypeToString(input->bus));
        }
        if (!info->u.hvm.usbdevice_list) {
            info->u.hvm.usbdevice_list = g_new0(char *, def->ninputs + 1);
        }
        info->u.hvm.usbdevice_list[count++] = g_strdup(names[input->type]);
    }
    return 0;
}

static int
buildController(libxl_domain_build_info *info, const virDomainControllerDef *controller)
{
    const char *model = virDomainControllerModelUSBTypeToString(controller->model);

    if (controller->idx != 0) {
        return stubdomRefuse("controller", "usb", _("libxl has one USB controller a guest"));
    }
    switch (controller->model) {
    case VIR_DOMAIN_CONTROLLER_MODEL_USB_DEFAULT:
    case VIR_DOMAIN_CONTROLLER_MODEL_USB_PIIX3_UHCI:
        libxl_defbool_set(&info->u.hvm.usb, true);
        return 0;
    case VIR_DOMAIN_CONTROLLER_MODEL_USB_NONE:
        if (!info->u.hvm.usbdevice_list) {
            return 0;
        }
        return stubdomRefuse("controller", "usb",
                             _("its model is 'none', but there are input devices of the bus 'usb'"));
    case VIR_DOMAIN_CONTROLLER_MODEL_USB_NEC_XHCI:
        if (!info->u.hvm.usbdevice_list) {
            info->u.hvm.usbversion = USB_VERSION_XHCI;
            return 0;
        }
        return stubdomRefuse("controller", "usb",
                             _("its model is '%s', on which libxl can put no input devices: piix3-uhci has them"),
                             model);
    default:
        return stubdomRefuse("controller", "usb", _("its model is '%s'; possible are piix3-uhci, nec-xhci and none"),
                             model);
    }
}

int
stubdomLibxlUsbBuild(StubdomLibxlConfig *config, const virDomainDef *def)
{
    if (buildInputs(&config->b_info, def) < 0) {
        return -1;
    }
    for (size_t i = 0; i < def->ncontrollers; i++) {
        if (def->controllers[i]->type == VIR_DOMAIN_CONTROLLER_TYPE_USB &&
            buildController(&config->b_info, def->controllers[i]) < 0) {
            return -1;
        }
    }
    return 0;
}
