# SPDX-License-Identifier: LGPL-2.1-or-later
"""Saving a booted lab to a file and resuming it.

The memory goes to a sparse file in QEMU's mapped-ram format, where each page
has its fixed place, so that resuming reads only pages that hold something.  The
disk is kept by whoever calls: it must not change after the save.
"""

from lab.errors import LabError

_CHANNELS = 2


def _prepare(machine):
    capabilities = [{"capability": name, "state": True}
                    for name in ("events", "mapped-ram", "multifd")]
    machine.execute("migrate-set-capabilities", capabilities=capabilities)
    machine.execute("migrate-set-parameters", **{"multifd-channels": _CHANNELS,
                                                 "max-bandwidth": 1 << 40})


def _finish(machine, seconds):
    event = machine.waitForEvent(
        lambda event: event["event"] == "MIGRATION"
        and event["data"]["status"] in ("completed", "failed"), seconds)
    if event["data"]["status"] == "failed":
        raise LabError(f"the snapshot failed: {machine.errors()}")


def saveSnapshot(machine, path, seconds=300):
    """Stops a machine and writes its memory and device state to a file."""
    machine.execute("stop")
    _prepare(machine)
    machine.execute("migrate", uri=f"file:{path}")
    _finish(machine, seconds)


def loadSnapshot(machine, path, seconds=60):
    """Loads a saved state into a machine started with `-incoming defer -S` and runs it."""
    _prepare(machine)
    machine.execute("migrate-incoming", uri=f"file:{path}")
    _finish(machine, seconds)
    machine.execute("cont")
