"""Disks that are LUNs, disks of several machines, and names that are unique in one data center alone."""

from __future__ import annotations

from typing import Any

import pytest

LUN = "360a980005034442f525a716549583947"


def lun(engine: Any, path: str) -> Any:
    """Make a LUN a disk of a machine."""
    unit = f'<logical_unit id="{LUN}"/>'
    if engine.dialect.number == 3:
        disk = "<disk><alias>raw</alias><interface>virtio</interface><format>raw</format><provisioned_size>1"
        return engine.post(f"{path}/disks", f"{disk}</provisioned_size><lun_storage>{unit}</lun_storage></disk>")
    disk = f"<lun_storage><logical_units>{unit}</logical_units></lun_storage><name>raw</name>"
    return engine.post(
        f"{path}/diskattachments",
        f"<disk_attachment><disk>{disk}</disk><interface>virtio</interface></disk_attachment>",
    )


@pytest.mark.parametrize("version", [(3, 6), (4, 5)])
def test_a_lun_has_neither_size_nor_state_nor_domain(make_engine: Any, version: tuple[int, int]) -> None:
    engine = make_engine(version)
    made = lun(engine, engine.vm())
    assert made.status in (201, 202), made.body
    shown = engine.get(f"/disks/{made.id}").xml
    assert [shown.find(tag) for tag in ("status", "size", "provisioned_size", "storage_domains", "format")] == [
        None
    ] * 5
    assert shown.findtext("storage_type") == "lun"
    assert [unit.get("id") for unit in shown.iter("logical_unit")] == [LUN]


def attach(engine: Any, vm: str, disk: str) -> Any:
    how = "<interface>virtio</interface><active>true</active>"
    if engine.dialect.number == 3:
        return engine.post(f"/vms/{vm}/disks", f'<disk id="{disk}"><active>true</active></disk>')
    return engine.post(f"/vms/{vm}/diskattachments", f'<disk_attachment>{how}<disk id="{disk}"/></disk_attachment>')


def disks(engine: Any, vm: str) -> list[str]:
    word = "disks" if engine.dialect.number == 3 else "diskattachments"
    return [one.get("id") for one in engine.get(f"/vms/{vm}/{word}").xml]


@pytest.mark.parametrize("version", [(3, 6), (4, 5)])
def test_a_shareable_disk_hangs_on_several_machines_and_outlives_each(make_engine: Any, version: Any) -> None:
    engine = make_engine(version)
    first, second, third = engine.world.all("vm")[:3]
    (disk,) = engine.world.of("disk", "vm", first["id"])
    refused = attach(engine, second["id"], disk["id"])
    assert (refused.status, "not shareable" in refused.detail()) == (409, True)
    engine.world.change(disk, shareable=True, bootable=False)
    assert attach(engine, second["id"], disk["id"]).status < 300
    assert attach(engine, second["id"], disk["id"]).status == 409
    assert disk["id"] in disks(engine, first["id"]) and disk["id"] in disks(engine, second["id"])
    assert disk["id"] not in disks(engine, third["id"])
    engine.delete(f"/vms/{first['id']}")
    engine.later()
    assert disk["id"] in disks(engine, second["id"])
    engine.delete(f"/vms/{second['id']}")
    engine.later()
    assert engine.world.get("disk", disk["id"])["vm"] is None


def like(world: Any, kind: str, **values: Any) -> Any:
    """Add a thing like the first of its kind."""
    usual = {key: value for key, value in world.all(kind)[0].items() if key not in ("kind", "id", "v", "turn")}
    return world.add(kind, **{**usual, **values})


@pytest.mark.parametrize("version", [(3, 0), (3, 6), (4, 5)])
def test_a_name_is_unique_in_its_data_center(make_engine: Any, version: tuple[int, int]) -> None:
    engine = make_engine(version)
    world = engine.world
    home = like(world, "data_center", name="other")
    far = like(world, "cluster", name="far", data_center=home["id"])
    twin = "<vm><name>vm1</name><cluster><name>{}</name></cluster><template><name>Blank</name></template></vm>"
    assert engine.post("/vms", twin.format("Default")).status in (400, 409)
    assert (engine.post("/vms", twin.format("far")).status == 201) == (version >= (3, 6))
    moved = engine.put(engine.vm(), f'<vm><cluster id="{far["id"]}"/></vm>')
    assert "same Data Center" in moved.detail()
