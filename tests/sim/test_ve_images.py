"""Images between files and disks: cfgve --upload and --download against the simulator and its hosts' daemon."""

from __future__ import annotations

import contextlib
import random
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from vesim import Site
from vmsite import VmSite, each_version
from xcat_rhev.abort import Abort
from xcat_rhev.commands.vm import transfer
from xcat_rhev.engine.manager import ImageChannel
from xcat_rhev.errors import Aborted
from xcat_rhev.messages import Progress
from xcat_rhev.sim.certs import make

MIB = 1 << 20
site = each_version(((4, 5),))
CLUSTER = 1 << 16


def noise(size: int, seed: int = 1) -> bytes:
    """Bytes that nothing makes smaller."""
    return random.Random(seed).randbytes(size)


def raw_file(folder: Path, name: str = "disk.raw") -> Path:
    """A raw image: data, a long hole, data, and a length that is no multiple of anything."""
    path = folder / name
    with path.open("wb") as file:
        file.write(noise(5 * MIB + 700))
        file.seek(24 * MIB)
        file.write(noise(3 * MIB + 11, 2))
    return path


def qcow2_file(folder: Path, size: int = 40 * MIB, **changes: int) -> Path:
    """A qcow2 image of version 3 with three clusters, one of them compressed; changes are fields of its head."""
    data, packed = [noise(CLUSTER, 3), noise(CLUSTER, 4)], b"ab" * (CLUSTER // 2)
    deflate = zlib.compressobj(9, zlib.DEFLATED, -12)
    small = deflate.compress(packed) + deflate.flush()
    entries = {0: 3 * CLUSTER, 9: 4 * CLUSTER, 300: 1 << 62 | 5 * CLUSTER}
    table = [0] * (CLUSTER // 8)
    for place, entry in entries.items():
        table[place] = entry | (0 if entry >> 62 else 1 << 63)
    head: dict[str, Any] = {"backing": 0, "crypt": 0, "bits": 0, "version": 3, **changes}
    told = struct.pack(
        ">4sIQIIQIIQQIIQQQQII", b"QFI\xfb", head["version"], head["backing"], 0, 16, size, head["crypt"], 1,
        CLUSTER, 0, 0, 0, 0, head["bits"], 0, 0, 4, 104,
    )  # fmt: skip
    path = folder / "cloud.qcow2"
    first = struct.pack(">Q", 2 * CLUSTER | 1 << 63).ljust(CLUSTER, b"\0")
    second = struct.pack(f">{len(table)}Q", *table)
    path.write_bytes(told.ljust(CLUSTER, b"\0") + first + second + b"".join(data) + small.ljust(512, b"\0"))
    return path


def seen_by_guest(size: int = 40 * MIB) -> bytes:
    """What is in that image."""
    disk = bytearray(size)
    for place, data in ((0, noise(CLUSTER, 3)), (9, noise(CLUSTER, 4)), (300, b"ab" * (CLUSTER // 2))):
        disk[place * CLUSTER : (place + 1) * CLUSTER] = data
    return bytes(disk)


def on_disk(site: Site, name: str) -> bytes:
    """What is on a disk of the simulator."""
    return bytes(site.world.images.contents.raw(site.thing("disk", name)).read_bytes())


def test_a_raw_image_goes_in_and_comes_out_as_it_was(site: VmSite, tmp_path: Path) -> None:
    image = raw_file(tmp_path)
    said = site.ok(f"cfgve -t disk -m MGR -o d1 --upload {image}")
    assert said[-1] == "d1: succeeded."
    disk = site.thing("disk", "d1")
    assert (disk["format"], disk["status"], disk["size"] % 4096) == ("raw", "ok", 0)
    assert on_disk(site, "d1").rstrip(b"\0") == image.read_bytes().rstrip(b"\0")
    site.ok(f"cfgve -t disk -m MGR -o d1 --download {tmp_path / 'back.raw'}")
    back = (tmp_path / "back.raw").read_bytes()
    assert back == image.read_bytes().ljust(disk["size"], b"\0")
    assert site.thing("disk", "d1")["status"] == "ok"
    assert (tmp_path / "back.raw").stat().st_blocks * 512 < 12 * MIB  # the hole is one there, too


def test_a_qcow2_image_becomes_a_disk_of_the_size_in_its_head(site: VmSite, tmp_path: Path) -> None:
    image = qcow2_file(tmp_path)
    site.ok(f"cfgve -t disk -m MGR -o c1 --upload {image}")
    disk = site.thing("disk", "c1")
    assert (disk["format"], disk["size"], disk["sparse"]) == ("cow", 40 * MIB, True)
    assert on_disk(site, "c1") == seen_by_guest()
    site.ok(f"cfgve -t disk -m MGR -o c1 --download {tmp_path / 'c1.raw'}")
    assert (tmp_path / "c1.raw").read_bytes() == seen_by_guest()


def test_what_is_done_is_not_done_again_and_nothing_is_overwritten(site: VmSite, tmp_path: Path) -> None:
    image = raw_file(tmp_path)
    line = f"cfgve -t disk -m MGR -o d1 --upload {image}"
    site.ok(line)
    assert site.ok(line) == ["d1: it was made of disk.raw already: nothing to do"]
    other = raw_file(tmp_path, "other.raw")
    (said,) = site.wrong(f"cfgve -t disk -m MGR -o d1 --upload {other}")
    assert said.startswith("the disk d1 is there already (disk.raw, ") and "Give another name" in said
    there = tmp_path / "there"
    there.write_text("mine")
    (said,) = site.wrong(f"cfgve -t disk -m MGR -o d1 --download {there}")
    assert said == f"{there} is there already, and nothing is replaced. Remove it, or give another name"
    assert there.read_text() == "mine"


def test_a_connection_that_breaks_is_made_again(site: VmSite, tmp_path: Path) -> None:
    image = raw_file(tmp_path)
    site.ok("lsve -t dc -m MGR")
    for at in (3 * MIB, 6 * MIB):
        site.world.images.cut_after = at
        name = f"d{at}"
        site.ok(f"cfgve -t disk -m MGR -o {name} --upload {image}")
        assert site.world.images.cut_after is None
        assert on_disk(site, name).rstrip(b"\0") == image.read_bytes().rstrip(b"\0")
        site.world.images.cut_after = at
        site.ok(f"cfgve -t disk -m MGR -o {name} --download {tmp_path / name}")
        assert site.world.images.cut_after is None
        assert (tmp_path / name).read_bytes() == on_disk(site, name)


def test_who_cannot_reach_the_host_is_served_through_the_manager(site: VmSite, tmp_path: Path) -> None:
    site.ok("lsve -t dc -m MGR")
    site.world.images.direct = False
    image = raw_file(tmp_path)
    site.ok(f"cfgve -t disk -m MGR -o d1 --upload {image}")
    assert on_disk(site, "d1").rstrip(b"\0") == image.read_bytes().rstrip(b"\0")
    site.ok(f"cfgve -t disk -m MGR -o d1 --download {tmp_path / 'out'}")
    assert (tmp_path / "out").read_bytes() == on_disk(site, "d1")


class Watched:
    """A file that says how much is read of it at once."""

    def __init__(self, file: BinaryIO, reads: list[int]) -> None:
        self.file, self.reads = file, reads

    def __enter__(self) -> Watched:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def seek(self, at: int) -> int:
        return self.file.seek(at)

    def read(self, size: int) -> bytes:
        self.reads.append(size)
        return self.file.read(size)


def test_no_more_is_held_at_once_than_a_piece_however_large_the_image_is(
    site: VmSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = tmp_path / "large.raw"
    image.write_bytes(noise(24 * MIB + 5))
    reads: list[int] = []
    opened = transfer.Source.open
    monkeypatch.setattr(transfer.Source, "open", lambda self: Watched(opened(self), reads))
    site.ok(f"cfgve -t disk -m MGR -o d1 --upload {image}")
    daemon = site.world.images
    assert len(reads) == 7 and max(reads) <= transfer.PIECE
    assert daemon.largest <= transfer.PIECE
    daemon.largest = 0
    pieces: list[int] = []
    given = ImageChannel.read

    def read(self: ImageChannel, start: int, size: int) -> Iterator[bytes]:
        for piece in given(self, start, size):
            pieces.append(len(piece))
            yield piece

    monkeypatch.setattr(ImageChannel, "read", read)
    monkeypatch.setattr("xcat_rhev.engine.wire.images.REQUEST", 8 * MIB)
    site.ok(f"cfgve -t disk -m MGR -o d1 --download {tmp_path / 'out'}")
    assert sum(pieces) >= 24 * MIB and max(pieces) <= MIB
    assert daemon.largest <= 8 * MIB
    assert (tmp_path / "out").read_bytes().rstrip(b"\0") == image.read_bytes().rstrip(b"\0")


def interrupted(site: VmSite, image: Path, name: str) -> None:
    """Type an upload and press Ctrl-C when some of it is at the host."""
    gone = Abort()
    site.world.images.stopped_at = (5 * MIB, gone.set)
    stopped(site, f"cfgve -t disk -m MGR -o {name} --upload {image}", gone)


def stopped(site: Site, line: str, gone: Abort) -> None:
    """Type a command whose caller goes away; nobody is told that it went well."""
    with contextlib.suppress(Aborted):  # it comes as a message where nothing else was under way
        assert not any("succeeded" in str(message) for message in site.say(line, aborted=gone))
    assert gone.is_set()
    end = time.monotonic() + 120
    while any(ticket.active for ticket in site.world.images.tickets.values()):
        assert time.monotonic() < end, "the host does not see that the line is dead"
        time.sleep(0.01)


@pytest.mark.parametrize("waited", [0, 100], ids=["at once", "paused by the engine"])
def test_an_upload_that_was_stopped_goes_on_where_it_was(site: VmSite, tmp_path: Path, waited: int) -> None:
    image = raw_file(tmp_path)
    interrupted(site, image, "d1")
    assert site.thing("disk", "d1")["status"] == "locked"
    site.clock.advance(waited)
    site.world.images.requests.clear()
    site.ok(f"cfgve -t disk -m MGR -o d1 --upload {image}")
    assert on_disk(site, "d1").rstrip(b"\0") == image.read_bytes().rstrip(b"\0")
    sent = site.world.images.requests.count("PUT images/{id}")
    assert 2 <= sent <= 3, site.world.images.requests  # of four pieces, the first is not sent again
    assert site.count("disk", "d1") == 1
    assert len(site.world.all("image_transfer")) == 1


def test_a_file_that_changed_does_not_go_on_with_what_the_old_one_began(site: VmSite, tmp_path: Path) -> None:
    image = raw_file(tmp_path)
    interrupted(site, image, "d1")
    image.write_bytes(noise(MIB))
    (said,) = site.wrong(f"cfgve -t disk -m MGR -o d1 --upload {image}")
    assert said.startswith("the disk d1 is being filled from another file (unfinished: disk.raw, ")


def test_a_download_that_is_stopped_leaves_neither_a_file_nor_a_locked_disk(site: VmSite, tmp_path: Path) -> None:
    site.ok(f"cfgve -t disk -m MGR -o d1 --upload {raw_file(tmp_path)}")
    gone = Abort()
    site.world.images.stopped_at = (2 * MIB, gone.set)
    stopped(site, f"cfgve -t disk -m MGR -o d1 --download {tmp_path / 'out'}", gone)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["disk.raw"]
    site.clock.advance(100)  # the manager sees that nobody comes any more
    site.ok(f"cfgve -t disk -m MGR -o d1 --download {tmp_path / 'out'}")
    assert (tmp_path / "out").read_bytes() == on_disk(site, "d1")


def test_an_image_that_hosts_find_broken_is_no_disk(site: VmSite, tmp_path: Path) -> None:
    image = qcow2_file(tmp_path)
    text = bytearray(image.read_bytes())
    text[5 * CLUSTER : 5 * CLUSTER + 40] = b"\xff" * 40  # what was compressed cannot be unpacked
    image.write_bytes(text)
    (said,) = site.wrong(f"cfgve -t disk -m MGR -o c1 --upload {image}")
    assert said.startswith("c1: disk c1 is ")
    site.clock.advance(60)
    assert site.count("disk", "c1") == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"backing": 512}, "is a part of an image"),
        ({"crypt": 1}, "is encrypted"),
        ({"bits": 1}, "was not closed or is damaged. Run: qemu-img check"),
        ({"bits": 4}, "is a part of an image"),
        ({"version": 1}, "is qcow2 of version 1"),
        ({"size": 0}, "holds a disk of no size"),
    ],
)
def test_images_that_no_engine_takes_are_refused_before_anything_is_made(
    site: VmSite, tmp_path: Path, changes: dict[str, int], words: str
) -> None:
    image = qcow2_file(tmp_path, **changes)
    (said,) = site.wrong(f"cfgve -t disk -m MGR -o c1 --upload {image}")
    assert words in said
    assert site.count("disk", "c1") == 0


@pytest.mark.parametrize(
    ("start", "words"),
    [(b"", "is empty"), (b"KDMV123", "is a VMDK image"), (b"\x1f\x8b1234", "is packed with gzip")],
)
def test_files_that_are_no_images_are_refused(site: VmSite, tmp_path: Path, start: bytes, words: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(start)
    (said,) = site.wrong(f"cfgve -t disk -m MGR -o c1 --upload {path}")
    assert words in said


def test_words_that_do_not_fit_are_refused_in_a_line(site: VmSite, tmp_path: Path) -> None:
    image = raw_file(tmp_path)
    upload, download = f"--upload {image}", f"--download {tmp_path / 'x'}"
    for line, words in (
        (f"-o d1,d2 {upload}", "--upload is for one object, not for 2"),
        (f"-o d1 {upload} --to-domain nowhere", "there is no active data domain nowhere. There is: data1"),
        (f"-o d1 --upload {tmp_path / 'none'}", "--upload: cannot read "),
        (f"-o none {download}", "none: there is no such disk"),
        (f"-o d1 {upload} -d dc1", "-d/--datacenter cannot be used with --upload for a disk"),
    ):
        (said,) = site.wrong(f"cfgve -t disk -m MGR {line}")
        assert said.startswith(words), said
    others = {"user": "joe", "asker": "10.0.0.9"}
    image.chmod(0o600)
    (said,) = site.wrong(f"cfgve -t disk -m MGR -o d1 {upload}", **others)
    assert "is not for everybody" in said
    (said,) = site.wrong(f"cfgve -t disk -m MGR -o d1 {download}", **others)
    assert said.endswith("only root may let xcatd write files")


def test_a_machine_that_runs_keeps_its_disk_for_itself(site: VmSite, tmp_path: Path) -> None:
    site.running("vm1")
    (said,) = site.wrong(f"cfgve -t disk -m MGR -o vm1_Disk1 --download {tmp_path / 'x'}")
    assert "is plugged to non-Down VMs: vm1" in said
    assert not (tmp_path / "x").exists()


def test_a_dry_run_says_what_would_be_done_and_makes_nothing(site: VmSite, tmp_path: Path) -> None:
    image = qcow2_file(tmp_path)
    said = site.ok(f"cfgve -t disk -m MGR -o c1 --upload {image} --dry-run")
    assert said[0] == "c1: make the disk c1 (qcow2, 40 MiB) on data1"
    assert "c1: send cloud.qcow2 (320.5 KiB)" in said
    assert site.count("disk", "c1") == 0


def test_what_an_upload_costs_does_not_grow_with_the_image(site: VmSite, tmp_path: Path) -> None:
    image = raw_file(tmp_path)
    cost = site.cost(f"cfgve -t disk -m MGR -o d1 --upload {image}")
    assert cost.pop("GET /disks") <= 4 * 8
    assert cost.pop("GET /imagetransfers") <= 8
    assert cost == {
        "GET /storagedomains": 1,
        "POST /disks": 1,
        "POST /imagetransfers": 1,
        "POST /imagetransfers/{id}/finalize": 1,
        "PUT /disks/{id}": 1,
    }
    cost = site.cost(f"cfgve -t disk -m MGR -o d1 --download {tmp_path / 'out'}")
    assert cost.pop("GET /imagetransfers") <= 8
    assert cost == {"GET /disks": 1, "POST /imagetransfers": 1, "POST /imagetransfers/{id}/finalize": 1}


def test_nobody_sees_the_address_that_lets_one_in(site: VmSite, tmp_path: Path) -> None:
    said = site.say(f"cfgve -t disk -m MGR -o d1 --upload {raw_file(tmp_path)} -V")
    text = "\n".join(str(message) for message in said)
    assert site.world.images.seen and not [one for one in site.world.images.seen if one in text]
    assert any(isinstance(message, Progress) for message in said) or site.thing("disk", "d1")["status"] == "ok"


def test_a_host_with_a_certificate_of_another_authority_gets_no_byte(
    site: VmSite, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    site.world.images._certificates = make(tmp_path_factory.mktemp("others"), ["127.0.0.1"])
    (said,) = site.wrong(f"cfgve -t disk -m MGR -o d1 --upload {raw_file(tmp_path)}")
    assert "the certificate of the host that takes images was not signed by" in said
    assert site.world.images.written == 0


def test_json_says_the_same(site: VmSite, tmp_path: Path) -> None:
    said = site.ok(f"cfgve -t disk -m MGR -o d1 --upload {raw_file(tmp_path)} --json")
    assert '"d1"' in said[-1] and "succeeded." in said[-1]


@pytest.mark.parametrize("site", [(3, 0), (3, 6), (4, 2)], indirect=True, ids=str)
def test_engines_that_cannot_say_so(site: VmSite, tmp_path: Path) -> None:
    version = ".".join(map(str, site.version))
    (said,) = site.wrong(f"cfgve -t disk -m MGR -o d1 --download {tmp_path / 'x'}")
    assert said == f"the manager is {version}; downloads of images came with 4.4"
    if site.version < (4, 0):
        (said,) = site.wrong(f"cfgve -t disk -m MGR -o d1 --upload {raw_file(tmp_path)}")
        assert said == f"the manager is {version}; uploads of images came with 4.0"
    else:
        site.ok(f"cfgve -t disk -m MGR -o d1 --upload {raw_file(tmp_path)}")


def test_a_cloud_image_becomes_a_template_and_machines(site: VmSite, tmp_path: Path) -> None:
    image = qcow2_file(tmp_path)
    line = f"cfgve -t tpl -m MGR -o rocky --upload {image}"
    said = site.ok(f"{line} --dry-run")
    assert [text for text in said if "wait" not in text] == [
        "rocky: make the disk rocky_Disk1 (qcow2, 40 MiB) on data1",
        "rocky: ask for a host that takes the image",
        "rocky: send cloud.qcow2 (320.5 KiB)",
        "rocky: note that it is whole",
        "rocky: make the machine rocky-being-made in Default",
        "rocky: attach the disk",
        "rocky: make the template rocky",
        "rocky: remove the machine and its disk",
    ]
    assert site.ok(line)[-1] == "rocky: succeeded."
    template = site.thing("template", "rocky")
    assert template["status"] == "ok" and "cloud.qcow2" in template["description"]
    assert (site.count("vm", "rocky-being-made"), site.count("disk", "rocky_Disk1")) == (0, 1)
    (disk,) = site.world.of("disk", "template", template["id"])
    assert (disk["format"], disk["size"], disk["bootable"]) == ("cow", 40 * MIB, True)
    site.node("vm1", master="rocky")
    site.ok("mkvm", ["vm1"])
    (disk,) = site.parts("disk", "vm1")
    assert disk["bootable"] and site.world.images.contents.raw(disk).read_bytes() == seen_by_guest()
    assert site.ok(line) == ["rocky: there is a template of that name: nothing to do"]


@pytest.mark.parametrize("at", ["/imagetransfers", "/vms", "/vms/*/diskattachments", "/templates", "DELETE"])
def test_a_template_that_was_broken_off_is_finished_by_the_same_command(site: VmSite, tmp_path: Path, at: str) -> None:
    line = f"cfgve -t tpl -m MGR -o rocky --upload {qcow2_file(tmp_path)}"
    site.ok("lsve -t dc -m MGR")
    method, path = ("DELETE", "/vms/*") if at == "DELETE" else ("POST", at)
    site.faults([{"method": method, "path": path, "do": "status", "status": 409, "about": "Cannot do that."}])
    site.wrong(line)
    site.mend()
    assert site.ok(line)[-1] == "rocky: succeeded."
    site.world.settle()
    assert site.thing("template", "rocky")["status"] == "ok"
    assert (site.count("vm", "rocky-being-made"), site.count("disk", "rocky_Disk1")) == (0, 1)


def test_a_template_is_asked_for_with_words_that_fit(site: VmSite, tmp_path: Path) -> None:
    image = qcow2_file(tmp_path)
    for words, told in (
        ("-l nowhere", "cannot find the cluster: nowhere"),
        ("--to-domain data9", "there is no active data domain data9. There is: data1"),
    ):
        (said,) = site.wrong(f"cfgve -t tpl -m MGR -o rocky --upload {image} {words}")
        assert said.startswith(told)
    disc = tmp_path / "disc.iso"
    disc.write_bytes(bytes(0x8001) + b"CD001" + bytes(MIB))
    (said,) = site.wrong(f"cfgve -t tpl -m MGR -o rocky --upload {disc}")
    assert "is an image of a CD, of which no machine can be made" in said
    site.ok(f"cfgve -t disk -m MGR -o disc.iso --upload {disc}")
    assert site.thing("disk", "disc.iso")["content_type"] == "iso"
