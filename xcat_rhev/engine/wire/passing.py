"""Which refusals may be none in a moment: the engine says that somebody else is at work on the thing, and it will end.

Decided for every message of AppErrors.properties from 3.0 to 4.5 (`tests/data/engine_messages.tsv`). A message that
asks a person to do something first ("please stop the VM and try again") is none of these, nor is a lasting use ("is
being used by the following VMs").
"""

from __future__ import annotations

import re

#: States that a machine, a storage domain, a snapshot or an image leaves by itself, as the engine fills them in.
_STATES = (
    r"Image[ ]Locked|Locked|Migrating|Powering[ ](?:Up|Down)|Preparing[ ]for[ ]Hibernate|Reboot[ ]in[ ]Progress"
    r"|Restoring[ ]State|Saving[ ]State|Wait[ ]for[ ]Launch|Preparing[ ]?For[ ]?Maintenance|Activating|Detaching"
)
_PASSING = re.compile(
    rf"""
      \b(?:re)?try[ ](?:again[ ])?(?:later|in[ ](?:a[ ]few|\d+))\b          # the engine says when
    | \bwait[ ](?:a[ ])?few[ ]seconds | \bmay[ ]take[ ](?:a[ ])?few[ ]minutes
    | \b(?:is|are|currently)[ ](?:concurrently[ ]|currently[ ])?being[ ](?!used\b)\w+  # exported, updated ...
    | (?<!not[ ])\bin[ ]progress\b
    | \b(?:is|are|currently)[ ]locked\b
    | \b(?:status[ ]is|is[ ]in)[ ](?:{_STATES})\b
    | \brunning[ ]tasks\b | \boperations[ ]are[ ]running\b
    | \bsaving/restoring\b
    | \bwait[ ](?:for[ ](?:the[ ])?(?:\w+[ ])?operations?|until[ ])\b
    | \bduring[ ]a\b
    | \bin[ ]use[ ]to[ ]create\b
    | \(temporarily\)
    """,
    re.IGNORECASE | re.VERBOSE,
)
#: The same words said of what lasts until a person changes it.
_LASTING = re.compile(r"locked, and cannot|locked or (still running|disabled)|values that are locked", re.IGNORECASE)


def passes(said: str) -> bool:
    """Whether the same request may be accepted in a moment.

    Args:
        said: The engine's words.
    """
    return bool(_PASSING.search(said)) and not _LASTING.search(said)
