# SPDX-License-Identifier: LGPL-2.1-or-later
"""What libxl says of processors and memory, for fake_libxl_numbers.c; and sysfs, where backends count.

A test changes the values of `toolstack.host` and `toolstack.numbers(domid)`, and looks at them afterwards.
"""

import json

CREDIT2 = 6
INVALID = 0xFFFFFFFF
XEN_DEFAULT_WEIGHT = 256


class Host:
    """Two NUMA nodes of two processors, one of which is offline."""

    def __init__(self):
        self.scheduler = CREDIT2
        self.physinfo = {
            'threads_per_core': 1, 'cores_per_socket': 2, 'max_cpu_id': 3, 'nr_cpus': 3, 'cpu_khz': 2400000,
            'total_pages': 2097152, 'free_pages': 1048576, 'nr_nodes': 2, 'cap_hvm': True, 'cap_hvm_directio': True,
        }
        self.topology = [{'core': 0, 'socket': 0, 'node': 0}, {'core': 1, 'socket': 0, 'node': 0},
                         {'core': 0, 'socket': 1, 'node': 1}, {'core': INVALID, 'socket': INVALID, 'node': INVALID}]
        self.nodes = [{'size': 4 << 30, 'free': 1 << 30, 'dists': [10, 20]},
                      {'size': 4 << 30, 'free': 3 << 30, 'dists': [20, 10]}]
        self.idle = [1000, 2000, 3000, 0]  # ns since Xen was started


class Numbers:
    """Of a domain, beyond what harness/hypervisor.py has."""

    def __init__(self, vcpus):
        self.scheduling = {'sched': 'credit2', 'weight': XEN_DEFAULT_WEIGHT, 'cap': 0}
        self.affinity = [[0, 1, 2, 3] for _ in range(vcpus)]
        self.times = [1000 * (i + 1) for i in range(vcpus)]
        self.online = list(range(vcpus))
        self.nodes = 0b11
        self.memory_target = None  # KiB
        self.memory_maximum = None


def answer(*objects):
    return [json.dumps(item) for item in objects]


def list_vcpu(toolstack, call):
    numbers = toolstack.numbers(call.numbers[0])
    return answer(*({'vcpuid': i, 'cpu': i, 'online': i in numbers.online, 'blocked': i > 0, 'running': i == 0,
                     'vcpu_time': time, 'cpumap': numbers.affinity[i], 'cpumap_soft': numbers.affinity[i]}
                    for i, time in enumerate(numbers.times)))


def set_affinity(toolstack, call):
    domid, vcpu = call.numbers
    toolstack.numbers(domid).affinity[vcpu] = call.argument


def set_online(toolstack, call):
    toolstack.numbers(call.numbers[0]).online = call.argument


def set_scheduling(toolstack, call):
    toolstack.numbers(call.numbers[0]).scheduling.update(
        {name: value for name, value in call.argument.items() if name in ('weight', 'cap') and value >= 0})


def set_maximum(toolstack, call):
    toolstack.numbers(call.numbers[0]).memory_maximum = call.numbers[1]


def set_target(toolstack, call):
    domid, target, relative, enforce = call.numbers
    toolstack.numbers(domid).memory_target = target if (relative, enforce) == (0, 1) else None


CALLS = {
    'libxl_get_physinfo': lambda toolstack, call: answer(toolstack.host.physinfo),
    'libxl_get_cpu_topology': lambda toolstack, call: answer(*toolstack.host.topology),
    'libxl_get_numainfo': lambda toolstack, call: answer(*toolstack.host.nodes),
    'libxl_get_scheduler': lambda toolstack, call: toolstack.host.scheduler,
    'xc_get_max_cpus': lambda toolstack, call: len(toolstack.host.topology),
    'xc_get_max_nodes': lambda toolstack, call: len(toolstack.host.nodes),
    'xc_getcpuinfo': lambda toolstack, call: [str(time) for time in toolstack.host.idle],
    'libxl_list_vcpu': list_vcpu,
    'libxl_set_vcpuaffinity': set_affinity,
    'libxl_set_vcpuonline': set_online,
    'libxl_domain_sched_params_get': lambda toolstack, call: answer(toolstack.numbers(call.numbers[0]).scheduling),
    'libxl_domain_sched_params_set': set_scheduling,
    'libxl_domain_setmaxmem': set_maximum,
    'libxl_set_memory_target': set_target,
    'libxl_domain_get_nodeaffinity': lambda toolstack, call: toolstack.numbers(call.numbers[0]).nodes,
}
