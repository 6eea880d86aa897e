"""Tags: labels of machines and hosts, in a tree; vm.othersettings assigns them."""

from ....engine.nouns import Tag
from ..plainkind import PlainKind
from ..settings import reference

KIND = PlainKind("tag", Tag, (reference("parent", Tag),), hidden=frozenset({"root"}))
