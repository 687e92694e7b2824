#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the layers of tests that are named, and counts.

Every test is one line of TAP somewhere below; a check without TAP (a fuzzer, the static analysis) is one test. The last line is
"N passed, N failed", with ", N skipped" if some were, each of which said why. ./run installs what this needs.

The tests of the lab take the longest, and they are made of waits for one after the other of Xen's domains: an emulator of two processors
leaves a quarter of two real ones idle. So they begin as soon as the lab is built, at real-time priority (which the kernel limits), because an
emulator that has to share its processors starves guests that have deadlines; what else there is runs beside them, the checks without
deadlines at a lower priority. Where real-time priority is not allowed, the lab's tests come last, alone.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get('STUBDOM_BUILD', ROOT / 'build'))
REAL_TIME = ('chrt', '--rr', '5')
HIGHER, LOWER = -10, 10  # niceness; at idle priority the tests of Debian 13's build would starve
FUZZ_SECONDS = int(os.environ.get('STUBDOM_FUZZ_SECONDS', '60'))
# The driver's component tests of monitor and events.
THREADED = ['test_driver_speed', 'test_driver_reconnect', 'test_driver_lifecycle.EndTest', 'test_driver_lifecycle.StartTest']
# Component tests beside others and the lab's emulator: what is asked of a process may take so many times as long.
BUSY = 3
TAP = re.compile(r'^(ok|not ok)\b(?: +\d+)?(?: *- *)?(.*?)(?:# *(SKIP)\b(.*))?$', re.IGNORECASE)


class Tally:
    """What passed, what failed, what was skipped and why."""

    def __init__(self):
        self.lock = threading.Lock()
        self.passed = 0
        self.failed = []
        self.skipped = []
        self.noted = []

    def add(self, name, good, output=''):
        with self.lock:
            if good:
                self.passed += 1
                return
            self.failed.append(name)
            print(f'FAILED: {name}')
            if output:
                print('\n'.join(f'    {line}' for line in output.splitlines()[-120:]), flush=True)

    def skip(self, name, reason):
        with self.lock:
            self.skipped.append(f'{name}: {reason}')

    def tap(self, program, text, complete):
        """Counts the lines of a TAP stream; @complete: its program ended well."""
        lines = [TAP.match(line) for line in text.splitlines()]
        lines = [match for match in lines if match]
        for match in lines:
            name = f'{program}: {match.group(2).strip()}'
            if match.group(3):
                self.skip(name, match.group(4).strip())
            else:
                self.add(name, match.group(1).lower() == 'ok', text)
        bad = any(match.group(1).lower() == 'not ok' for match in lines)
        if not lines or (not complete and not bad):
            self.add(program, False, text)

    def finish(self):
        for note in self.noted:
            print(note)
        for reason in self.skipped:
            print(f'skipped: {reason}')
        for name in self.failed:
            print(f'failed: {name}')
        line = f'{self.passed} passed, {len(self.failed)} failed'
        print(line + (f', {len(self.skipped)} skipped' if self.skipped else ''), flush=True)
        return 1 if self.failed or not self.passed else 0


BEGAN = time.monotonic()


def say(text):
    print(f'==> {time.monotonic() - BEGAN:5.0f} s  {text}', flush=True)


def run(command, **options):
    return subprocess.run([str(word) for word in command], cwd=ROOT, text=True, errors='replace', stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, **options)


def renice(niceness):
    """Sets the priority of this thread and of what it starts; only root can raise it."""
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)


def check(tally, name, command, **options):
    """A command that is one test."""
    started = time.monotonic()
    result = run(command, **options)
    tally.add(name, result.returncode == 0, result.stdout)
    say(f'{name}: {"good" if result.returncode == 0 else "FAILED"} ({time.monotonic() - started:.0f} s)')
    return result.returncode == 0


def configure(tally, name, *options, compiler=None, targets=(), directory=None, prefix=()):
    """A build directory, built (or only its @targets); None if that failed. @prefix: what to run the tools by."""
    directory = directory or BUILD / name
    environment = dict(os.environ, **({'CC': compiler} if compiler else {}))
    made = (directory / 'build.ninja').exists()  # then perhaps with other options
    words = ['configure', directory, *(word for word in options if '=' in word)] if made else ['setup', directory, *options]
    if not check(tally, f'{name}: meson {words[0]}', [*prefix, 'meson', *words], env=environment):
        return None
    built = check(tally, f'{name}: compiles without warnings', [*prefix, 'ninja', '-C', directory, *targets])
    return directory if built else None


def meson_test(tally, directory, *suites, name=None, prefix=(), options=()):
    name = name or directory.name
    log = directory / 'meson-logs' / 'testlog.json'
    log.unlink(missing_ok=True)
    say(f'{name}: {", ".join(suites)} tests')
    words = [word for suite in suites for word in ('--suite', suite)]
    result = run([*prefix, 'meson', 'test', '-C', directory, '--no-rebuild', '--timeout-multiplier', BUSY, *options, *words],
                 env=dict(os.environ, STUBDOM_TEST_BUSY=str(BUSY)))
    if not log.exists():
        tally.add(f'{name}: meson test', False, result.stdout)
        return
    for line in log.read_text(errors='replace').splitlines():
        test = json.loads(line)
        text = (test.get('stdout') or '') + (test.get('stderr') or '')
        tally.tap(f'{name}: {test["name"].split(" / ")[-1]}', text, test['result'] == 'OK')


def plain(tally):
    """What dom0 of the lab gets."""
    return configure(tally, 'gcc', '--prefix=/usr', '-Ddriver=enabled')


def sanitized(tally):
    return configure(tally, 'sanitized', '--prefix=/usr', '-Ddriver=enabled', '-Db_sanitize=address,undefined')


def driver_checks(tally, directory):
    """Of the driver, what takes long and has no deadline."""
    check(tally, 'clang-tidy of the driver', ['run-clang-tidy', '-quiet', '-p', directory, f'^{ROOT}/src/libxl_stubdom/.*'])
    configure(tally, 'driver-clang', '--prefix=/usr', '-Ddriver=enabled', compiler='clang', targets=[
        f'src/libxl_stubdom/libvirt_driver_{name}.so' for name in ('stubdom', 'libxl')])


def trixie(tally):
    """Everything with the compiler and the libraries of Debian 13: libvirt 11.3, Xen 4.20."""
    if os.geteuid() != 0:
        tally.skip('trixie', 'another root directory needs root')
        return
    tool = ROOT / 'build-aux' / 'in-suite'
    started = time.monotonic()
    made = subprocess.run([tool, 'trixie'], text=True, capture_output=True, check=False)
    tally.add('trixie: packages', made.returncode == 0, made.stderr)
    say(f'trixie: packages ({time.monotonic() - started:.0f} s)')
    if made.returncode != 0:
        return
    prefix = (tool, 'trixie')
    directory = configure(tally, 'trixie', '--prefix=/usr', '-Ddriver=enabled', prefix=prefix,
                          directory=Path(made.stdout.strip()) / 'build')
    if directory:
        meson_test(tally, directory, 'unit', 'driver', name='trixie', prefix=prefix)


def fuzz_build(tally):
    return configure(tally, 'fuzz', '-Dfuzz=true', '-Ddriver=disabled', '-Db_sanitize=address,undefined',
                     '-Db_lundef=false', compiler='clang')


def fuzz(tally, directory):
    targets = sorted(path for path in (directory / 'tests' / 'fuzz').glob('fuzz-*') if path.is_file())
    if not targets:
        tally.add('fuzz: targets', False, 'there is none')

    def one(target):
        corpus = BUILD / 'corpus' / target.name
        corpus.mkdir(parents=True, exist_ok=True)
        check(tally, f'fuzz: {target.name}, {FUZZ_SECONDS} s',
              [target, f'-max_total_time={FUZZ_SECONDS}', '-print_final_stats=1', '-timeout=60',
               f'-artifact_prefix={directory}/', corpus])

    with ThreadPoolExecutor(2 * os.cpu_count()) as pool:  # threads inherit the priority
        list(pool.map(one, targets))


def analysis(tally, directory):
    check(tally, 'clang-tidy', ['run-clang-tidy', '-quiet', '-p', BUILD / 'fuzz', f'^{ROOT}/src/.*'])
    sources = [path for pattern in ('src/**/*.[ch]', 'tests/**/*.[ch]') for path in sorted(ROOT.glob(pattern))]
    check(tally, 'clang-format', ['clang-format', '--dry-run', '-Werror', *sources])
    check(tally, 'manual pages', ['mandoc', '-T', 'lint', '-W', 'warning', *sorted(ROOT.glob('docs/*.[0-9]'))])
    check(tally, 'meson dist', ['meson', 'dist', '-C', directory, '--no-tests', '--allow-dirty'])


def threads_build(tally):
    """The driver alone for ThreadSanitizer."""
    return configure(tally, 'threads', '--prefix=/usr', '-Ddriver=enabled', '-Db_sanitize=thread', '-Db_lundef=false',
                     targets=['src/libxl_stubdom/libvirt_driver_stubdom.so'])


def threads(tally, directory, made):
    """Component tests of the driver in @made; everything else is of @directory."""
    say('threads: component tests of the driver')
    result = run(['meson', 'devenv', '-C', directory, 'env', f'STUBDOM_TEST_DRIVER_DIR={made}/src/libxl_stubdom',
                  f'STUBDOM_TEST_BUSY={BUSY}', ROOT / 'tests/component/run.py', *THREADED])
    tally.tap('threads', result.stdout, result.returncode == 0)
    say('threads: done')


def tests(tally, layers, directory):
    """What is tested here, as it is installed and with sanitizers."""
    suites = [suite for layer, suite in (('unit', 'unit'), ('unit', 'driver'), ('component', 'component')) if layer in layers]
    several = ('--num-processes', 2 * os.cpu_count())  # most of them wait most of the time
    if 'unit' in layers:
        discover = [sys.executable, '-m', 'unittest', 'discover', '-s']
        check(tally, 'lab: its parts without Xen', [*discover, 'lab/tests', '-t', '.'])
        check(tally, 'lab: deadlines of its tests', [*discover, 'tests/lab'])
    meson_test(tally, directory, *suites, options=several)
    instrumented = sanitized(tally)
    made = threads_build(tally) if 'component' in layers else None
    with ThreadPoolExecutor() as pool:
        work = [pool.submit(threads, tally, directory, made)] if made else []
        if instrumented:
            work.append(pool.submit(meson_test, tally, instrumented, *suites, options=several))
        for one in work:
            one.result()
    say('unit and component tests: done')


def checks(tally, directory, beside):
    """What has no deadlines; @beside: other things have. The fuzzers come last, when there is the most processor time for their minutes."""
    if beside:
        renice(LOWER)
    trixie(tally)
    fuzzed = fuzz_build(tally)
    analysis(tally, directory)
    driver_checks(tally, directory)
    if fuzzed:
        fuzz(tally, fuzzed)


def lab_host(tally):
    """Xen and dom0, which need nothing that is compiled here, and for which everything else in the lab waits."""
    renice(HIGHER)
    say('lab: building')
    check(tally, 'lab: its host builds and boots', ['lab/lab', 'build'])


def lab_build(tally):
    """The stubdomain's image and what else dom0 gets; waits for lab_host()."""
    renice(HIGHER)
    return check(tally, 'lab: builds', ['./run', 'payload-of-build'])


def lab_tests(tally, prefix):
    say(f'lab: tests{", at real-time priority" if prefix else ""}')
    process = subprocess.Popen([*prefix, 'python3', 'tests/lab/run.py', '--payload', str(BUILD / 'payload')], cwd=ROOT, text=True,
                               errors='replace', stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    lines = []
    for line in process.stdout:
        lines.append(line)
        print(f'    {line}', end='', flush=True)
    tally.noted += [f'lab: {line[2:].rstrip()}' for line in lines if ', and run again: ' in line]
    tally.tap('lab', ''.join(lines), process.wait() == 0)
    say('lab: tests: done')


def main(layers):
    tally = Tally()
    with ThreadPoolExecutor() as pool:
        work = [pool.submit(lab_host, tally)] if 'lab' in layers else []
        directory = plain(tally)
        if directory:
            if 'unit' in layers:
                work.append(pool.submit(checks, tally, directory, 'lab' in layers))
            built = pool.submit(lab_build, tally) if 'lab' in layers else None
            if {'unit', 'component'} & set(layers):
                work.append(pool.submit(tests, tally, layers, directory))
            if built and built.result():
                prefix = REAL_TIME if run([*REAL_TIME, 'true']).returncode == 0 else ()
                for one in () if prefix else work:
                    one.result()
                lab_tests(tally, prefix)
        for one in work:
            one.result()
    return tally.finish()


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
