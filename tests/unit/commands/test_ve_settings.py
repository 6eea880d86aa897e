"""References in settings of managers' things."""

from __future__ import annotations

import pytest

from xcat_rhev.commands.environment.settings import _only
from xcat_rhev.engine.nouns import NetworkFilter, Ref
from xcat_rhev.errors import NotFound

FILTER = "5a55d534-0151-0329-0198-00000000039d"


def test_an_id_whose_name_the_manager_does_not_tell_is_taken() -> None:
    assert _only("network_filter", NetworkFilter, [], FILTER) == Ref(FILTER)
    assert _only("network_filter", NetworkFilter, [NetworkFilter(id=FILTER, name="f")], "f") == Ref(FILTER, "f")
    with pytest.raises(NotFound, match="there is no such"):
        _only("network_filter", NetworkFilter, [], "f")
