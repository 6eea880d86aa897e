"""Tags: words for machines and hosts, in a tree; vm.othersettings ties them."""

from ....engine.nouns import Tag
from ..plainkind import PlainKind
from ..settings import reference

KIND = PlainKind("tag", Tag, (reference("parent", Tag),), hidden=frozenset({"root"}))
