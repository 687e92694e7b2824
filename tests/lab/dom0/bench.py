#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures, in one boot, what a guest costs with its device model in dom0, in stock Xen's stubdomain, and in ours.

bench.py pci: PCI hotplug alone (bench_pci.py). bench.py save: save and restore alone (bench_save.py). bench.py display: a
display that moves, alone (bench_display.py).

The same guest in turns, so that a machine that gets slower does so for all;
medians are compared. Stock's stubdomain gets the same kernel and ramdisk.

Creation is measured with `xl create -p`, which ends when the device model runs.
What stock's path does after that our image has no part in: libxl's QMP goes
through a vchan to the stubdomain, which stubdom-init does not serve. So stock's
guest is not let run. None has a NIC: stock names them otherwise in the stubdomain.
"""

import json
import os
import re
import statistics
import sys
import time

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from faults import emulatorFault  # noqa: E402
from guest import Guest, descriptor, guestLogs  # noqa: E402
from host import LOGS, Deadline, Failure, processes, run, setDeadline, waitFor  # noqa: E402
import bench_display  # noqa: E402
import bench_pci  # noqa: E402
import bench_save  # noqa: E402
import leaks  # noqa: E402

ROUNDS = 3
ATTEMPT = 300
BARS = {"create": 0.8, "pss": 6.0, "memory": 96}


def kinds():
    """The three device models as changes to a guest's configuration."""
    with open(descriptor("bench"), encoding="utf-8") as file:
        image = json.load(file)
    none = {"device_model_override": None}
    return {
        "dom0": none,
        "stock": {**none, "device_model_stubdomain_override": 1, "stubdomain_kernel": image["kernel"],
                  "stubdomain_ramdisk": image["ramdisk"], "stubdomain_cmdline": image["cmdline"],
                  "stubdomain_memory": image["memory"]},
        "ours": {},
    }


def pss(before):
    """MiB of the processes that are there for a guest: their proportional set size, but for xl's own."""
    total, names = 0, []
    for pid, words in processes().items():
        if pid in before or os.path.basename(words[0]) == "xl":
            continue
        try:
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                size = int(re.search(r"^Pss:\s+(\d+) kB", file.read(), re.M).group(1)) / 1024
            with open(f"/proc/{pid}/comm", encoding="ascii") as file:
                names.append(f"{file.read().strip()} {size:.1f}")
        except (OSError, AttributeError):
            continue
        total += size
    return total, names


def measure(name, config):
    """Starts and destroys one guest: its figures."""
    before = leaks.look()
    running = set(processes())
    with Guest(name, **config) as guest:
        start = time.monotonic()
        guest.create(paused=True)
        figures = {"create": time.monotonic() - start, "up": None}
        figures["pss"], figures["processes"] = pss(running)
        listed = re.search(rf"^{name}-dm\s+\d+\s+(\d+)", run("xl", "list")[1], re.M)
        figures["memory"] = int(listed.group(1)) if listed else 0
        if "stubdomain_kernel" not in config:
            unpaused = time.monotonic()
            run("xl", "unpause", name)
            guest.serial().expect("print guest: up")
            figures["up"] = figures["create"] + time.monotonic() - unpaused
            figures["pss"], figures["processes"] = pss(running)
        figures["free"] = _free(name)
        guest.destroy()
        guest.waitGone()
    waitFor("clean-up", lambda: not leaks.differences(before))
    return figures


def _free(name):
    """What the stubdomain said of its memory, or nothing."""
    for log in (f"stubdom-{name}.log", f"qemu-dm-{name}-dm.log", f"qemu-dm-{name}.log"):
        try:
            found = re.findall(r"memory: ([^\n]*)", (LOGS / log).read_text(errors="replace"))
        except OSError:
            continue
        if found:
            return found[-1].strip()
    return ""


def attempt(name, config, what=measure):
    """Measures; once more when the emulator failed."""
    for last in (False, True):
        setDeadline(60)
        run("xl", "dmesg", "-c")
        try:
            setDeadline(ATTEMPT)
            return what(name, config)
        except (Failure, Deadline) as error:
            setDeadline(120)
            fault = emulatorFault(run("xl", "dmesg")[1])
            if last or not fault:
                print(f"{name}: {error}", *guestLogs(name), *guestLogs(name + "-dm"), sep="\n  ", flush=True)
            run("xl", "destroy", name, check=False)
            run("xl", "destroy", name + "-dm", check=False)
            if last or not fault:
                return None
            print(f"{name}: the emulator's own fault; once more", flush=True)
    return None


def report(results):
    """Prints the table; returns whether all bars are met."""
    median = {kind: {key: statistics.median(figures[key] for figures in rows)
                     for key in ("create", "up", "pss", "memory") if rows[0][key] is not None}
              for kind, rows in results.items() if rows}
    print(f"\n{'median of ' + str(ROUNDS):<32}{'dom0 QEMU':>12}{'stock stub.':>12}{'ours':>12}{'ours/stock':>12}")
    for key, label in {"create": "xl create -p returns, s", "up": "guest's line, s", "pss": "dom0 memory (PSS), MiB",
                       "memory": "stubdomain's memory, MiB"}.items():
        values = [median.get(kind, {}).get(key) for kind in ("dom0", "stock", "ours")]
        cells = [f"{'-':>12}" if value is None else f"{value:>12.1f}" for value in values]
        ratio = values[2] / values[1] if values[1] and values[2] is not None else None
        print(f"{label:<32}{''.join(cells)}{'' if ratio is None else format(ratio, '>12.2f')}")
    for kind, rows in results.items():
        for figures in rows[-1:]:
            print(f"{kind}: {', '.join(figures['processes'])} MiB; memory: {figures['free'] or '-'}")
    return bars(median)


def bars(median):
    """Prints which of the aims are met; whether all are."""
    ours, stock = median.get("ours"), median.get("stock")
    if ours is None:
        print("not ok: no figures of ours")
        return False
    checks = [(f"stubdomain works with {BARS['memory']} MiB", ours["memory"] <= BARS["memory"]),
              (f"dom0 memory at most {BARS['pss']} MiB", ours["pss"] <= BARS["pss"])]
    if stock:
        checks += [("dom0 memory less than stock's stubdomain", ours["pss"] < stock["pss"]),
                   (f"create at most {BARS['create']} of stock's stubdomain",
                    ours["create"] <= BARS["create"] * stock["create"])]
    for text, met in checks:
        print(f"{'ok' if met else 'not ok'}: {text}")
    return all(met for _, met in checks) and stock is not None


def saves():
    """Save and restore beside dom0's QEMU; whether its aims are met."""
    results = {kind: {size: [] for size in bench_save.MEMORY} for kind in bench_save.COLUMNS}
    for number in range(bench_save.ROUNDS):
        for size in bench_save.MEMORY:
            for kind, rows in results.items():
                config = {**kinds().get(kind, {}), "memory": size}
                figures = attempt(f"bench-save-{kind}", config, bench_save.measure)
                if figures:
                    rows[size].append(figures)
                    print(f"round {number + 1}, {size} MiB, {kind}: saved in {figures['save']:.1f} s, "
                          f"restored in {figures['restore']:.1f} s", flush=True)
    return bench_save.report(results)


def pci():
    """PCI hotplug beside dom0's QEMU; whether its aims are met."""
    return bench_pci.report({kind: attempt(f"bench-pci-{kind}", kinds()[kind], bench_pci.measure) or []
                             for kind in ("dom0", "ours")})


def display():
    """A display that moves beside dom0's QEMU; whether its aims are met."""
    results = {"dom0": [], "ours": []}
    for number in range(bench_display.ROUNDS):
        for kind, rows in results.items():
            figures = attempt(f"bench-display-{kind}", kinds()[kind], bench_display.measure)
            if figures:
                rows.append(figures)
                said = ", ".join(f"{key} {figures[key]['cpu']:.1f} ms" for key in bench_display.ENCODINGS)
                print(f"round {number + 1}, {kind}: a frame costs {said}", flush=True)
    return bench_display.report(results)


def main():
    alone = {"pci": pci, "save": saves, "display": display}
    if sys.argv[1:]:
        return 0 if alone[sys.argv[1]]() else 1
    results = {kind: [] for kind in kinds()}
    for number in range(ROUNDS):
        for kind, config in kinds().items():
            figures = attempt(f"bench-{kind}", config)
            if figures:
                results[kind].append(figures)
                print(f"round {number + 1}, {kind}: created in {figures['create']:.1f} s, "
                      f"{figures['pss']:.1f} MiB in dom0", flush=True)
    good = report(results)
    return 0 if saves() and good else 1


sys.exit(main())
