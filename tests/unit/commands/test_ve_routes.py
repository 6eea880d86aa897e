"""What brings a hypervisor's commands here is the same for all of them."""

import re

import pytest

from xcat_rhev.run.registry import COMMANDS

ROUTED = {
    name: [route.partition("hypervisor:type=")[2] for route in command.routes if "hypervisor:type=(" in route]
    for name, command in COMMANDS.items()
}


@pytest.mark.parametrize("kind", ["rhev", "rhevh", "rhevh6.6", "ovirt", "ovirt4.5"])
def test_every_command_of_hypervisors_takes_every_type(kind):
    taken = {
        name: [pattern for pattern in patterns if re.fullmatch(pattern, kind)] for name, patterns in ROUTED.items()
    }
    assert [name for name, patterns in ROUTED.items() if patterns and not taken[name]] == []
    assert {"rscan", "rinv", "rvitals", "lsvm", "revacuate", "chhypervisor", "rmhypervisor"} <= {
        name for name, patterns in taken.items() if patterns
    }
