"""Perl's regular expressions, as people write them into tables, noderanges and policy rows, on Python's engine."""

from __future__ import annotations

import re
from functools import lru_cache

from ..errors import Usage

#: Longer patterns are refused.
LONGEST = 1000


@lru_cache(maxsize=1024)
def compile(pattern: str, where: str) -> re.Pattern[str]:
    """Prepare a pattern.

    Args:
        pattern: In Perl's syntax.
        where: What it is part of, for the error.

    Raises:
        Usage: Malformed, or of a kind that can take for ever.
    """
    if len(pattern) > LONGEST:
        raise Usage(f"{where} has a pattern of more than {LONGEST} characters")
    try:
        return re.compile(pattern.replace(r"\z", r"\Z"), re.ASCII)
    except (re.error, RecursionError, OverflowError) as problem:
        raise Usage(f"{where} has an impossible pattern '{pattern}': {problem}") from None
