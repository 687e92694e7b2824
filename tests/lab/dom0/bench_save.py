# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures save and restore beside stock Xen with QEMU in dom0: xl's time, and the device state's alone.

Two sizes of a guest: what is the same for every guest shows in a small one,
and how much that matters in one of a usual size, of which the aims are. The
device state is asked for as libxl does, on its socket, but to a file of the
bench's, so that the same can be asked of QEMU itself.
"""

import json
import os
import socket
import statistics
import time
from pathlib import Path

from host import Failure, remaining, run, waitFor
from test_save import IMAGE, Counter, counting, firstCount, port, saveAndRead
import leaks

ROUNDS = 3
MEMORY = (64, 512)  # MiB
STATES = 5
BAR = 1.25
STATE = "/root/bench-save.state"

ROWS = {"checkpoint": "xl save -c, s", "save": "xl save, s",
        "restore": "xl restore, s", "again": "until the guest goes on, s",
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
    counter = Counter()
    figures = {}
    with counting(name, devices=("hda",), **config) as guest:
        guest.create()
        descriptor = port(guest)
        counter.follow(descriptor, 3)
        figures["state"], figures["bytes"] = _states(guest.domid())
        figures["rate"] = figures["bytes"] / figures["state"] / 1024
        counter.follow(descriptor, 3)
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
        descriptor = port(guest)
        firstCount(descriptor)  # QEMU in dom0 drops what nobody read from its pty
        figures["again"] = time.monotonic() - start
        os.close(descriptor)
        guest.destroy()
        guest.waitGone()
    Path(IMAGE).unlink()
    Path(STATE).unlink()
    waitFor("clean-up", lambda: not leaks.differences(before))
    return figures


def report(results):
    """Prints a table a size; returns whether saving and restoring are within the bar.

    results: kind → size → figures of each round
    """
    met = True
    for size in MEMORY:
        median = {kind: {key: statistics.median(figures[key] for figures in rows[size]) for key in ROWS}
                  for kind, rows in results.items() if rows[size]}
        if len(median) < 2:
            print(f"not ok: no figures of save and restore of {size} MiB")
            return False
        print(f"\n{f'{size} MiB, median of {ROUNDS}':<32}{'dom0 QEMU':>12}{'ours':>12}{'ours/dom0':>12}")
        for key, label in ROWS.items():
            values = [median[kind][key] for kind in ("dom0", "ours")]
            print(f"{label:<32}{values[0]:>12.3f}{values[1]:>12.3f}{values[1] / values[0]:>12.2f}")
        for key in ("save", "restore") if size == MEMORY[-1] else ():
            good = median["ours"][key] <= BAR * median["dom0"][key]
            print(f"{'ok' if good else 'not ok'}: {ROWS[key].rstrip(', s')} at most {BAR} of dom0 QEMU's")
            met = met and good
    return met
