# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs tests in dom0 and prints TAP. Around each: a deadline, the leak check, and after a failure the logs to read.

Three things make a test run again, once: the emulator's own fault (faults.py);
the deadline of a whole test, as an emulator on a busy machine may be that slow;
and a triple fault of a guest, which the emulator makes too. The latter two may
be AGAIN in all. Each is printed and counted. A wrong answer, or a limit of the
product's that was exceeded, is never tried again. What a failed test left is
removed, so that the next starts clean.
"""

import os
import re
import signal
import time
import traceback

import leaks
from faults import emulatorFault, tripleFault
from guest import guestLogs
from host import GRACE, LOGS, Deadline, deadlinePassed, domains, late, logTail, processes, run, setDeadline

_tests = []
_CLEANUP = 60
AGAIN = 2
FAULT, LATE, DIED = "the emulator put its own state into the guest", "it was late", "a guest died of a triple fault"

# Guests that tests started and that passed, leak check included.
started = [0]


def test(name, seconds, starts=0):
    """Makes a function a test. It gets a function that notes the name of a guest whose logs matter.

    seconds: its deadline, several times what it takes on a quiet machine.  starts: how many guests it starts one after another.
    """
    def register(function):
        _tests.append((name, seconds, starts, function))
        return function
    return register


def say(text):
    """One or more lines of comment."""
    for line in text.rstrip("\n").split("\n"):
        print("# " + line, flush=True)


def _alarm(*unused):
    raise deadlinePassed()


def _clean(before):
    """Ends what a test left, so far as xl and signals can."""
    setDeadline(_CLEANUP)
    for name, domid in domains().items():
        if domid and f"{name} ({domid})" not in before["domain"]:
            run("xl", "destroy", domid, check=False)
    try:
        for line in leaks.settled(before):
            say("after cleaning: " + line)
    except Deadline as error:
        say(f"after cleaning: {error}")
    setDeadline(_CLEANUP)
    for pid, words in processes().items():
        if f"{pid} {' '.join(words)}" not in before["process"] and "xen" in os.path.basename(words[0]):
            os.kill(pid, signal.SIGKILL)


def _processors():
    """Where the processors of all domains are and which events wait for one, as lines."""
    for key in "ve":
        run("xl", "debug-keys", key)
    kept = re.compile(r">>> Domain|\tVCPU|exitcode|RIP =|Event channel information|\[1/[01]/")
    dumped = [line for line in run("xl", "dmesg", "-c")[1].splitlines() if kept.search(line)]
    return run("xl", "vcpu-list", check=False)[1].splitlines() + dumped


def _attempt(seconds, function, names, before):
    """One run of a test: what is wrong, or an empty list; why it may run again, or None; the host's state, if it is clean.

    before: the host's state, or None.
    """
    after = again = None
    setDeadline(60)
    run("xl", "dmesg", "-c")
    before = before or leaks.look()
    setDeadline(seconds)
    signal.alarm(int(seconds + GRACE))
    try:
        function(names.append)
        wrong, after = leaks.settle(before)
    except Exception as error:  # pylint: disable=broad-except
        wrong = traceback.format_exc().splitlines()
        again = LATE if late(error) else None
    finally:
        signal.alarm(0)
    if wrong:
        setDeadline(_CLEANUP)
        log = run("xl", "dmesg", "-c")[1]
        places = _processors()
        again = FAULT if emulatorFault("\n".join([log, *places])) else again or (DIED if tripleFault(log) else None)
        wrong = wrong[-1:] + places + wrong
        for name in dict.fromkeys(names):
            wrong += guestLogs(name)
        wrong += ["xen: " + line for line in log.splitlines()[-20:]]
        wrong += logTail(LOGS / "xen-hotplug.log", 5)
        wrong += run("journalctl", "-u", "libvirtd", "-n", "25", "--no-pager", check=False)[1].splitlines()
        _clean(before)
        return wrong, again, None
    return [], None, after


def main(only):
    """Runs the tests whose names contain one of the words; returns the exit status."""
    signal.signal(signal.SIGALRM, _alarm)
    chosen = [entry for entry in _tests if not only or any(word in entry[0] for word in only)]
    print(f"TAP version 13\n1..{len(chosen)}", flush=True)
    failed = faults = 0
    tried = []
    state = None
    for number, (name, seconds, starts, function) in enumerate(chosen, 1):
        start = time.monotonic()
        wrong, again, state = _attempt(seconds, function, [], state)
        if wrong and again and (again == FAULT or len(tried) < AGAIN):
            for line in wrong:
                say(line)
            say(f"{name}: run again, {again}")
            faults += again == FAULT
            tried += [f"{again}, and run again: {name}"] if again != FAULT else []
            wrong, _, state = _attempt(seconds, function, [], state)
        failed += bool(wrong)
        started[0] += 0 if wrong else starts
        print(f"{'not ok' if wrong else 'ok'} {number} - {name}", flush=True)
        for line in wrong:
            say(line)
        say(f"{time.monotonic() - start:.1f} s")
    say(f"{faults} faults of the emulator")
    for line in tried:
        say(line)
    return 1 if failed else 0
