"""From the words that somebody typed to a command's options and words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from ..errors import Usage
from .command import Command, Option


def parse(command: Command, args: Sequence[str]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Split a command's arguments into options and words, as getopt does with permutation.

    Short switches may be joined (`-rf`), a value may follow in the same word (`-t4`, `--timeout=4`); `--` ends options.
    Of an option that is given twice the last value counts, as in xCAT, whose commands also take `-help` and `-version`
    for the long words.

    Args:
        command: The declaration.
        args: The words as typed.

    Returns:
        Options by name, and the remaining words.

    Raises:
        Usage: Unknown option, missing or surplus value, value not among the choices, words that the command does not
            take.
    """
    known = {flag: option for option in command.all_options() for flag in option.flags}
    options: dict[str, Any] = {}
    words: list[str] = []
    left = list(args)
    while left:
        word = left.pop(0)
        if word == "--":
            words += left
            break
        if word in ("-help", "-version"):
            word = f"-{word}"
        if word.startswith("-") and word != "-":
            _take(command, known, word, left, options)
        else:
            words.append(word)
    _check_numbers(options)
    if not {"help", "version"} & set(options):
        _check_words(command, words)
    return options, tuple(words)


def _check_words(command: Command, words: Sequence[str]) -> None:
    """Refuse the words that a command does not take, and too few or too many of those it takes."""
    least, most, known = command.words.least, command.words.most, command.words.known
    unknown = [word for word in words if most == 0 or (known and word not in known)]
    said = ""
    if unknown:
        problem = f"does not know '{' '.join(unknown)}'"
        if known:  # scripts look for the words in which xCAT's plugins for hardware refuse an action
            said = f"Unsupported command: {command.name} {' '.join(unknown)}. "
    elif most is not None and len(words) > most:
        problem = f"takes {_count_text(most)} at most, not '{' '.join(words)}'"
    elif len(words) < least:
        problem = "needs a word that says what to do" if known else f"needs {_count_text(least)}"
    else:
        return
    raise Usage(f"{said}{command.name} {problem}", _hint(command))


def _hint(command: Command) -> str:
    """How it is used, in the line of the error; scripts for xCAT look for the word at its beginning."""
    return f"Usage: {command.name} {command.usage}" if not command.help_text else f"Usage: run {command.name} -h"


def _suggestion(flag: str, known: Mapping[str, Option]) -> str:
    """A question with the option that somebody probably meant, to stand before a hint; or nothing."""
    near = get_close_matches(flag, [each for each in known if each.startswith("--")], 1, 0.7) if len(flag) > 4 else ()
    return "".join(f"Did you mean {each}? " for each in near)


def _count_text(number: int) -> str:
    return "one word" if number == 1 else f"{number} words"


def _take(command: Command, known: Mapping[str, Option], word: str, left: list[str], into: dict[str, Any]) -> None:
    flag, given, value = word.partition("=") if word.startswith("--") else (word[:2], word[2:], word[2:])
    option = known.get(flag) or (_expand(known, flag) if command.xcat_style else None)
    if option is None:
        own = f"Run: {command.name} -h, which shows its options"
        hint = _hint(command) if command.xcat_style else f"{_hint(command)}. {own}"
        raise Usage(f"{command.name} has no option {flag}", _suggestion(flag, known) + hint)
    if not option.value:
        if word.startswith("--") and given:
            raise Usage(f"{flag} takes no value")
        into[option.name] = True
        if given:
            left.insert(0, "-" + given)
        return
    if not given:
        if not left:
            raise Usage(f"{flag} needs a value: {option.value}")
        value = left.pop(0)
    if not (value.strip() or command.xcat_style):
        raise Usage(f"{flag} needs a value: {option.value}")
    if option.choices and value not in option.choices:
        raise Usage(f"{flag} {value}: not one of {', '.join(option.choices)}")
    into[option.name] = (*into.get(option.name, ()), value) if option.many else value


def _expand(known: Mapping[str, Option], flag: str) -> Option | None:
    """The one option whose long flag begins so.

    Raises:
        Usage: There are several.
    """
    meant = {option.name: option for each, option in known.items() if flag.startswith("--") and each.startswith(flag)}
    if len(meant) > 1:
        raise Usage(f"{flag} may mean {' or '.join(each for each in known if each.startswith(flag))}")
    return next(iter(meant.values()), None)


def _check_numbers(options: Mapping[str, Any]) -> None:
    limit = options.get("timeout")
    if limit is not None and not (limit.isdigit() and 0 < int(limit) <= 86400):
        raise Usage(f"--timeout {limit}: not a number of seconds", "Write a number from 1 to 86400")
