"""What a command of the daemon answers: messages, or a document of a form that messages do not have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Union

from ..messages import Message


@dataclass(frozen=True)
class Reply:
    """An answer of a shape that messages do not have: one document.

    Attributes:
        fields: As `wire.write_response` takes them.
    """

    fields: Mapping[str, Any]


#: What a command of the daemon answers.
Output = Union[Message, Reply]
