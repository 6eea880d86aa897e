"""Templates by what people call them.

Versions of a template share its name; engines take the newest for it (GetVmTemplateByVmTemplateName, 3.5 to 4.5). So do
we, and one of them is `name@3`, or `name@` with the version's own name. Since 4.0 a name is one data center's own:
`center/name` tells which is meant, and an id always does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ..errors import Ambiguous
from .nouns import Ref, Template

#: The first version in which templates have versions.
VERSIONED = (3, 4)
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True)
class Called:
    """What somebody wrote for a template.

    Attributes:
        text: As written.
        name: Its name; empty where an id was written.
        version: Its number or name, or empty.
        center: The name of its data center, or empty.
        id: Its id, or empty.
    """

    text: str
    name: str = ""
    version: str = ""
    center: str = ""
    id: str = ""

    def fits(self, template: Template, center: str) -> bool:
        """Whether it is that one, in that data center. The manager's empty template is in all of them."""
        if self.id:
            return template.id == self.id
        if template.name != self.name or (self.center and center not in ("", self.center)):
            return False
        return not self.version or self.version in (str(template.version_number), template.version_name)


def parse_template(text: str) -> Called:
    """Read what somebody wrote; names of data centers and templates have neither `/` nor `@`."""
    if _ID.fullmatch(text):
        return Called(text, id=text.lower())
    center, _, rest = text.rpartition("/")
    name, _, version = rest.partition("@")
    return Called(text, name, version, center)


class Templates:
    """Templates that were found for some texts.

    Args:
        manager: The manager's name, for errors.
        found: All versions in all data centers of what was asked for.
        center_of: Gives a template's data center; None for the manager's empty one. Asked only where it matters.
    """

    def __init__(self, manager: str, found: Iterable[Template], center_of: Callable[[Template], Ref | None]) -> None:
        self._manager, self._found, self._center_of = manager, list(found), center_of

    def all(self, text: str) -> list[Template]:
        """All that a text fits, by data center, the newest version first."""
        wanted = parse_template(text)
        named = [each for each in self._found if each.name == wanted.name or each.id == wanted.id]
        fits = [each for each in named if wanted.fits(each, self._center_name(each) if wanted.center else "")]
        return sorted(fits, key=lambda each: (each.cluster.id if each.cluster else "", -(each.version_number or 0)))

    def one(self, text: str, center: Ref | None = None) -> Template | None:
        """The one that a text means: of several versions the newest; None if there is none.

        Args:
            text: As somebody wrote it.
            center: The data center that it has to be in, if the text does not say one and several have it.

        Raises:
            Ambiguous: Several data centers have one of that name.
        """
        fits = self.all(text)
        if len({each.cluster.id if each.cluster else "" for each in fits}) > 1:
            homes = {each.id: home.id if (home := self._center_of(each)) else "" for each in fits}
            if center and not parse_template(text).center:
                fits = [each for each in fits if homes[each.id] in ("", center.id)]
            if len({homes[each.id] for each in fits}) > 1:
                raise self._ambiguous(text, fits)
        return max(fits, key=lambda each: each.version_number or 0, default=None)

    def only(self, text: str) -> Template | None:
        """The one that a text means, for what cannot be undone: of several versions the text has to name one.

        Raises:
            Ambiguous: Several fit.
        """
        fits = self.all(text)
        if len(fits) > 1:
            raise self._ambiguous(text, fits)
        return fits[0] if fits else None

    def _ambiguous(self, text: str, fits: Sequence[Template]) -> Ambiguous:
        known = [f"{self._full(each)} (id {each.id})" for each in fits]
        return Ambiguous(
            f"manager {self._manager} has several templates with the name {text}: {', '.join(known)}",
            f"Write the one that is meant, as {self._full(fits[0])}, or its id",
        )

    def _center_name(self, template: Template) -> str:
        home = self._center_of(template)
        return home.name if home else ""

    def _full(self, template: Template) -> str:
        center = self._center_name(template)
        return (f"{center}/" if center else "") + f"{template.name}@{template.version_number or 1}"


def label(template: Template, known: Iterable[Template]) -> str:
    """The shortest text that always means this template in its data center: its version is told where it has several.

    Args:
        template: The template.
        known: All templates of the manager.
    """
    base = template.base_template.id if template.base_template else template.id
    family = [each for each in known if base in (each.id, each.base_template.id if each.base_template else None)]
    several = len(family) > 1 or (template.version_number or 1) > 1
    return f"{template.name}@{template.version_number}" if several else template.name
