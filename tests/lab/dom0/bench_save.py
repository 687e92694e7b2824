# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures save and restore beside stock Xen with QEMU in dom0: time of xl and of libvirt, and the device state's alone.

Several sizes of a guest: what is the same for every guest shows in a small one,
and how much that matters in the others, of which the aims are. The device state
is asked for as libxl does, on its socket, but to a file of the bench's, so that
the same can be asked of QEMU itself.
"""

import json
import os
import socket
import statistics
import time
from pathlib import Path

from domain import Connection
from host import Failure, remaining, run, waitFor
from test_save import IMAGE, Counter, counting, firstCount, port, saveAndRead
import leaks
import test_driver_save

# bench.py --memory, --rounds
MEMORY = tuple(int(size) for size in os.environ.get("STUBDOM_BENCH_MEMORY", "64,512,1024").split(","))  # MiB
ROUNDS = int(os.environ.get("STUBDOM_BENCH_ROUNDS", "3"))
STATES = 5
BAR = 1.25
STATE = "/root/bench-save.state"

COLUMNS = {"dom0": "dom0 QEMU", "ours": "ours, xl", "driver": "ours, libvirt"}
ROWS = {"checkpoint": "xl save -c, s", "save": "save, s",
        "restore": "restore, s", "again": "until the guest goes on, s",
        "state": "device state, s", "bytes": "device state, bytes", "rate": "device state, KiB/s"}


def _command(stream, command, **arguments):
    """One QMP command; events are skipped."""
    stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
    stream.flush()
    for line in stream:
        answer = json.loads(line)
        if "error" in answer:
            raise Failure(f"{command}: {answer['error']}")
        if "return" in answer:
            return answer["return"]
    raise Failure(f"{command}: the connection was closed")


def _states(domid):
    """Saves the device state some times, without the guest, which is paused: seconds of each, and its bytes."""
    seconds = []
    run("xl", "pause", domid)
    for _ in range(STATES):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(remaining())
            connection.connect(f"/var/run/xen/qmp-libxl-{domid}")
            with connection.makefile("rw") as stream:
                _command(stream, "qmp_capabilities")
                _command(stream, "stop")
                start = time.monotonic()
                _command(stream, "xen-save-devices-state", filename=STATE, live=False)
                seconds.append(time.monotonic() - start)
                _command(stream, "cont")
    run("xl", "unpause", domid)
    return statistics.median(seconds), Path(STATE).stat().st_size


def measure(name, config):
    """Saves and restores one guest: its figures."""
    before = leaks.look()
    figures = _measureDriver(name, config["memory"]) if name.endswith("driver") else _measureXl(name, config)
    waitFor("clean-up", lambda: not leaks.differences(before))
    return figures


def _measureXl(name, config):
    counter = Counter()
    figures = {}
    with counting(name, devices=("hda",), **config) as guest:
        guest.create()
        descriptor = port(guest)
        counter.follow(descriptor, 3)
        figures["state"], figures["bytes"] = _states(guest.domid())
        figures["rate"] = figures["bytes"] / figures["state"] / 1024
        counter.follow(descriptor, 3)
        if config["memory"] == MEMORY[0]:
            start = time.monotonic()
            run("xl", "save", "-c", name, IMAGE)
            figures["checkpoint"] = time.monotonic() - start
            counter.follow(descriptor, 3)
        start = time.monotonic()
        saveAndRead(name, counter, descriptor)
        figures["save"] = time.monotonic() - start
        os.close(descriptor)
        start = time.monotonic()
        run("xl", "restore", IMAGE)
        figures["restore"] = time.monotonic() - start
        figures["again"] = _goesOn(port(guest), start)
        guest.destroy()
        guest.waitGone()
    Path(IMAGE).unlink()
    Path(STATE).unlink()
    return figures


def _measureDriver(name, memory):
    """Managed save, and a start from it."""
    counter = Counter()
    figures = {}
    with Connection() as connection, test_driver_save.counting(connection, name, second=False, memory=memory) as domain:
        domain.start()
        descriptor = test_driver_save.port(domain)
        counter.follow(descriptor, 3)
        figures["save"] = test_driver_save.saveWith(domain, counter, descriptor, domain.libvirt.managedSave)
        start = time.monotonic()
        figures["restore"] = test_driver_save.restoreWith(domain, domain.libvirt.create)
        figures["again"] = _goesOn(test_driver_save.port(domain), start)
    return figures


def _goesOn(descriptor, start):
    """Seconds from start until the guest counts, whose serial port is closed."""
    firstCount(descriptor)  # QEMU in dom0 drops what nobody read from its pty
    os.close(descriptor)
    return time.monotonic() - start


def report(results):
    """Prints a table a size; returns whether saving and restoring are within the bar in the largest.

    results: kind → size → figures of each round
    """
    met = True
    medians = {}
    for size in MEMORY:
        median = {kind: {key: statistics.median(figures[key] for figures in rows[size]) for key in rows[size][0]}
                  for kind, rows in results.items() if rows[size]}
        if len(median) < len(COLUMNS):
            print(f"not ok: no figures of save and restore of {size} MiB")
            return False
        medians[size] = median
        _table(f"{size} MiB, median of {ROUNDS}", median)
        met = _bars(size, median)
    if len(MEMORY) > 1:
        _extrapolate(medians)
    return met


def _table(title, median):
    print(f"\n{title:<32}" + "".join(f"{label:>14}" for label in COLUMNS.values()) + f"{'xl/dom0':>10}{'libvirt/dom0':>14}")
    for key, label in ROWS.items():
        values = [median[kind].get(key) for kind in COLUMNS]
        if values[0] is None:
            continue
        line = "".join(f"{'-':>14}" if value is None else f"{value:>14.3f}" for value in values)
        ratios = ["-" if value is None else f"{value / values[0]:.2f}" for value in values[1:]]
        print(f"{label:<32}{line}{ratios[0]:>10}{ratios[1]:>14}")


def _bars(size, median):
    """Prints whether one size is within the bar, which is of xl."""
    met = True
    for key in ("save", "restore"):
        good = median["ours"][key] <= BAR * median["dom0"][key]
        print(f"{'ok' if good else 'not ok'}: {size} MiB: {key} at most {BAR} of dom0 QEMU's")
        met = met and good
    return met


def _extrapolate(medians):
    """From which size on a restore would be within the bar, if all sizes cost what these do."""
    small, large = MEMORY[0], MEMORY[-1]
    stock = {size: medians[size]["dom0"]["restore"] for size in (small, large)}
    more = (stock[large] - stock[small]) / (large - small)  # seconds a MiB
    for kind in ("ours", "driver"):
        fixed = statistics.median(medians[size][kind]["restore"] - medians[size]["dom0"]["restore"] for size in MEMORY)
        size = small + (fixed / (BAR - 1) - stock[small]) / more
        print(f"{COLUMNS[kind]}: a restore takes {fixed:.1f} s more than dom0 QEMU's, {more * 1024:.1f} s a GiB of memory are the "
              f"same: within {BAR} from {size / 1024:.1f} GiB on")
