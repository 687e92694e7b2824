# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures PCI hotplug beside stock Xen with QEMU in dom0: attach, detach, and an attach that QEMU refuses.

The device is edu, and the guest lets go when it is asked. Detach
is the time until the guest has let go: `xl pci-detach` with QEMU in dom0,
device_del until the event with ours. What libxl does afterwards is a row of
its own.
"""

import statistics
import time

from host import check, run, waitFor
from passthrough import EDU, EDU_IDS, NO_RESET, Assignable
from pciguest import PciGuest
from test_pci import HOT, letGo, takeBack

ROUNDS = 3
REFUSED_BAR = 1.0
ROWS = {"refused": "refused insert until the error, s", "attach": "xl pci-attach, s",
        "seen": "until the guest has it, s", "detach": "until the guest let go, s",
        "destroy": "then taken from both, s"}


def _timed(function):
    start = time.monotonic()
    function()
    return time.monotonic() - start


def _refused(guest):
    """The slot of the guest's PIIX3: QEMU does not take it."""
    status, said = run("xl", "pci-attach", guest.name, EDU + "@1", check=False)
    check(status != 0, f"xl pci-attach to a slot in use succeeded: {said}")


def _round(guest, ours):
    """One attach and detach: its figures."""
    start = time.monotonic()
    figures = {"attach": _timed(lambda: run("xl", "pci-attach", guest.name, EDU))}
    waitFor("edu in the guest", lambda: EDU_IDS in guest.pci())
    figures["seen"] = time.monotonic() - start
    if ours:
        figures["detach"] = letGo(guest, EDU)
        figures["destroy"] = _timed(lambda: takeBack(guest, EDU))
    else:
        figures["detach"] = _timed(lambda: run("xl", "pci-detach", guest.name, EDU))
    return figures


def measure(name, config):
    """All figures of one guest, one dict a round."""
    ours = "device_model_override" not in config
    rows = []
    with Assignable(EDU), PciGuest(name, **HOT, **({"options": [NO_RESET]} if ours else {}), **config) as guest:
        guest.boot()
        for _ in range(ROUNDS):
            refused = _timed(lambda: _refused(guest))
            rows.append({"refused": refused, **_round(guest, ours)})
            print(f"{name}: {', '.join(f'{key} {value:.2f} s' for key, value in rows[-1].items())}", flush=True)
        guest.destroy()
        guest.waitGone()
    return rows


def report(results):
    """Prints the table; returns whether a refusal is told in time."""
    median = {kind: {key: statistics.median(row[key] for row in rows) for key in rows[0]}
              for kind, rows in results.items() if rows}
    if len(median) < 2:
        print("not ok: no figures of PCI hotplug")
        return False
    print(f"\n{'median of ' + str(ROUNDS):<36}{'dom0 QEMU':>12}{'ours':>12}")
    for key, label in ROWS.items():
        cells = [median[kind].get(key) for kind in ("dom0", "ours")]
        print(f"{label:<36}" + "".join(f"{'-':>12}" if value is None else f"{value:>12.2f}" for value in cells))
    met = median["ours"]["refused"] <= REFUSED_BAR
    print(f"{'ok' if met else 'not ok'}: a refused insert is told within {REFUSED_BAR} s")
    return met
