# SPDX-License-Identifier: LGPL-2.1-or-later
"""What of libxl has no xl command: libxl_device_pci_destroy, which is what a driver calls once the guest has let go.

`xl pci-detach` cannot do it: libxl finds no devices of a guest that has a
stubdomain, and gives up before it asks anybody.  Errors of libxl come on
stderr.
"""

import ctypes
import ctypes.util
import glob
import json
import re

from host import Failure

_MINIMUM_LEVEL = 5  # xentoollog.h: XTL_WARN
_STRUCT_BYTES = 1024


def _load(name):
    return ctypes.CDLL(sorted(glob.glob(f"/usr/lib/x86_64-linux-gnu/{name}.so.*"))[0], use_errno=True)


class Libxl:
    """One libxl context; use it in a `with` block."""

    def __init__(self):
        self._libxl = _load("libxenlight")
        self._log = _load("libxentoollog")
        stderr = ctypes.c_void_p.in_dll(ctypes.CDLL(None), "stderr")
        self._log.xtl_createlogger_stdiostream.restype = ctypes.c_void_p
        self._logger = ctypes.c_void_p(self._log.xtl_createlogger_stdiostream(stderr, _MINIMUM_LEVEL, 0))
        self._context = ctypes.c_void_p()
        if self._libxl.libxl_ctx_alloc(ctypes.byref(self._context), 0, 0, self._logger) != 0:
            raise Failure("there is no libxl context")

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self._libxl.libxl_ctx_free(self._context)
        self._log.xtl_logger_destroy(self._logger)

    def _pci(self, address):
        domain, bus, slot, function = (int(part, 16) for part in re.split("[:.]", address))
        device = ctypes.create_string_buffer(_STRUCT_BYTES)
        self._libxl.libxl_device_pci_init(device)
        text = json.dumps({"domain": domain, "bus": bus, "dev": slot, "func": function})
        if self._libxl.libxl_device_pci_from_json(self._context, device, text.encode()) != 0:
            raise Failure(f"libxl does not take {text}")
        return device

    def pciDestroy(self, domid, address):
        """Takes a device away from guest and stubdomain without asking the device model: libxl's status."""
        device = self._pci(address)
        status = self._libxl.libxl_device_pci_destroy(self._context, ctypes.c_uint32(domid), device, None)
        self._libxl.libxl_device_pci_dispose(device)
        return status

    def pciRemove(self, domid, address):
        """The same for one domain alone, a stubdomain for example: libxl's status."""
        device = self._pci(address)
        status = self._libxl.libxl_device_pci_remove(self._context, ctypes.c_uint32(domid), device, None)
        self._libxl.libxl_device_pci_dispose(device)
        return status
