"""rmvm -p of a machine whose disk somebody takes off at the same time."""

from __future__ import annotations

from vmsite import MODERN, each_version

site = each_version(MODERN)


class Meanwhile:
    """The engine, where somebody does something just before a machine is removed."""

    def __init__(self, front, happen):
        self._front, self._happen = front, happen

    def handle(self, request):
        if request.method == "DELETE" and "/vms/" in request.path:
            self._happen()
        return self._front.handle(request)

    def __getattr__(self, name):
        return getattr(self._front, name)


def test_a_disk_that_was_taken_off_meanwhile_is_said_and_not_waited_for(site):
    site.made("vm1", storage="data1:1g|data1:2g:data=common")
    (disk,) = site.world.by_name("disk", "common")
    site._server.front = Meanwhile(site.front, lambda: site.world.change(disk, vm=None))
    began = site.clock.now()
    (error,) = site.wrong("rmvm -p", ["vm1"])
    assert "the disk common is still there: another user detached it before it was removed" in error
    assert f"cfgve -t disk -m {site.manager} -o {disk['id']} -r" in error
    assert site.clock.now() - began < 60 and site.count("vm", "vm1") == 0
    site.ok(f"cfgve -t disk -m MGR -o {disk['id']} -r")
    assert site.count("disk", "common") == 0
