/*
 * xen-stubdom-dm: the device model libxl starts, whose devices are in a stubdomain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Finds out which of its few faces is wanted: help, version, libxl's probe, or
 * the device model of a guest.
 */

#include "config.h"

#include <locale.h>
#include <stdlib.h>

#include <glib.h>
#include <glib/gi18n-lib.h>

#include "dm_model.h"
#include "dm_options.h"
#include "dm_qmp_probe.h"

static void
printHelp(void)
{
    g_print(_("Usage: xen-stubdom-dm -xen-domid DOMID -chardev socket,id=libxl-cmd,path=PATH …\n"
              "\n"
              "Device model of a Xen HVM guest that runs QEMU in a stubdomain. It is started by\n"
              "libxl in place of QEMU (device_model_override in xl.cfg, <emulator> in libvirt)\n"
              "and takes QEMU's command line as libxl writes it.\n"
              "\n"
              "  --help                 show this help\n"
              "  --version              show the version\n"
              "  -stubdom KEY=VALUE,…   options of its own (device_model_args in xl.cfg):\n"
              "      image=NAME             stubdomain image, or path of its image.json (default: %s)\n"
              "      config=FILE            the guest's libxl_domain_config as JSON\n"
              "      display=FILE           how the display is to be seen, as JSON\n"
              "      memory=MIB             memory of the stubdomain (default: what the image asks for)\n"
              "      cpus=LIST              CPUs of the host it may run on, commas doubled (default: all)\n"
              "      start-timeout=SECONDS  until the stubdomain must be up (default: %u)\n"
              "      command-timeout=SECONDS for an answer of the stubdomain (default: %u)\n"
              "      log-limit=BYTES        in each of two log files of console 0 (default: %u)\n"
              "      save-limit=BYTES       of device state (default: %u)\n"
              "      pci-reset=optional     allow PCI devices that cannot be reset (default: required)\n"
              "\n"
              "See xen-stubdom-dm(8).\n"),
            DM_IMAGE_DEFAULT, DM_START_TIMEOUT_DEFAULT, DM_COMMAND_TIMEOUT_DEFAULT, DM_LOG_LIMIT_DEFAULT,
            DM_SAVE_LIMIT_DEFAULT);
}

/* What is said in passing, in the form of our other messages; warnings keep GLib's. */
static void
logMessage(const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer opaque)
{
    if ((level & G_LOG_LEVEL_MASK) == G_LOG_LEVEL_MESSAGE) {
        g_printerr("xen-stubdom-dm: %s\n", message);
    } else {
        g_log_default_handler(domain, level, message, opaque);
    }
}

int
main(int argc, char **argv)
{
    g_autoptr(DmOptions) options = NULL;
    g_autoptr(GError) error = NULL;

    g_log_set_default_handler(logMessage, NULL);
    setlocale(LC_ALL, "");
    bindtextdomain(GETTEXT_PACKAGE, LOCALEDIR);
    bind_textdomain_codeset(GETTEXT_PACKAGE, "UTF-8");
    if (argc == 2 && g_str_equal(argv[1], "--help")) {
        printHelp();
        return EXIT_SUCCESS;
    }
    if (argc == 2 && (g_str_equal(argv[1], "--version") || g_str_equal(argv[1], "-version"))) {
        g_print("xen-stubdom-dm %s\n", PACKAGE_VERSION);
        return EXIT_SUCCESS;
    }
    if (dmQmpProbeWanted(argc, argv)) {
        return dmQmpProbeRun(argc, argv);
    }
    options = dmOptionsParse(argc, argv, &error);
    if (!options) {
        g_printerr("xen-stubdom-dm: %s\n", error->message);
        return EXIT_FAILURE;
    }
    return dmModelRun(options);
}
