"""`xcat-rhev run`: one xCAT command, sent to an xcatd and printed as xCAT's own clients do."""

from __future__ import annotations

import os
import select
import signal
import stat
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from ..errors import NotFound, RhevError, Unreachable, Usage
from ..xcat import answers
from ..xcat.wire import WireRequest
from .client import Conversation, Target, target
from .screen import Screen

USAGE = """\
Usage: xcat-rhev run COMMAND [NODERANGE] [ARGUMENTS]
  Runs an xCAT command, such as: rpower vm1-vm3 stat, lsdef -t osimage, copycds FILE.iso
  XCATHOST       which xcatd, as host:port; localhost:3001 if not set
  XCAT_CERT_DIR  folder with ca.pem and client-cred.pem; ~/.xcat if not set"""

#: Commands whose first word is no noderange (xcatclientnnr).
WITHOUT_NODERANGE = frozenset("""
    addkit addkitcomp bmcdiscover cfgve chkkitcomp chzone configfpc copycds geninitrd gennr gettab ilitefile imgexport
    imgimport liteimg lskit lskitcomp lskitdeployparam lskmodules lsslp lsve lsxcatd makenetworks makentp makeroutes
    mknb mkzone monadd moncfg mondecfg monls monrm monshow monstart monstop nodeadd nodeaddunmged nodediscoverdef
    nodediscoverls nodediscoverstart nodediscoverstatus nodediscoverstop nodegrpch nodeimport packimage pdudiscover
    regnotif rescanplugins rmimage rmkit rmkitcomp rmosdistro rmzone rollupdate runrollupdate sinv slpdiscover snmove
    swapnodes switchdiscover tabch tabdump tabprune unregnotif webrun xcatsetup
""".split())
#: Commands that work on definitions (xcatDBcmds).
DEFINITIONS = frozenset(("mkdef", "chdef", "lsdef", "rmdef", "chkosimage"))
#: Commands that are not sent under their own name: chtab writes to the database by itself in a Perl xCAT.
SENT_AS = {"chtab": "tabch"}

_LOUD = ("-V", "--verbose")


def main(argv: Sequence[str]) -> int:
    """Run one command.

    Args:
        argv: The command and its arguments.

    Returns:
        All error codes of the answer, joined by OR, as xCAT's clients do; 0 after Ctrl-C; the system's error number
        if there is no connection (111 if it is refused); 1 if the answer ends early or cannot be printed.
    """
    words = list(argv)
    if not words or words[0] in ("-h", "--help"):
        print(USAGE)
        return 0 if words else 2
    try:
        where = target(os.environ)
        return _run(where, compose(words[0], words[1:], os.environ), _is_loud(words))
    except RhevError as problem:
        Screen().err(f"Error: {problem}\n")
        return problem.exit_code
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


def compose(command: str, args: Sequence[str], environment: Mapping[str, str]) -> WireRequest:
    """Make the request that xCAT's client for this command would make.

    Args:
        command: Its name.
        args: The words after it.
        environment: The process's variables; those that begin with `XCAT_` go along.

    Raises:
        Usage: tabrestore without a file.
        NotFound: tabrestore's file cannot be read.
    """
    request = WireRequest(SENT_AS.get(command, command), cwd=os.getcwd(), clienttype="cli")
    if command == "tabrestore":
        return _restore(request, args)
    if command in DEFINITIONS:
        return request._replace(args=tuple(map(_definition_word, args)), stdin=_stdin(environment, True))
    shared = request._replace(environment=_for_xcatd(environment), stdin=_stdin(environment, False))
    if shared.command in WITHOUT_NODERANGE:
        return shared._replace(args=tuple(args))
    before = _noderange_at(args)
    noderange = _absolute(args[before]) if before < len(args) else ""
    return shared._replace(noderange=noderange, args=(*args[:before], *args[before + 1:]))


def _run(where: Target, request: WireRequest, loud: bool) -> int:
    try:
        conversation = Conversation(where)
    except Unreachable as problem:
        screen = Screen()
        screen.out(f"Unable to open socket connection to xcatd daemon on {where}.\n")
        screen.out("Verify that the xcatd daemon is running and that your SSL setup is correct.\n")
        screen.err(f"{problem}\n")
        return problem.exit_code
    previous = signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _converse(conversation, request, loud)
    except KeyboardInterrupt:
        conversation.abort()
        return 0
    finally:
        signal.signal(signal.SIGTERM, previous)
        conversation.close()


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _converse(conversation: Conversation, request: WireRequest, loud: bool) -> int:
    code, done, screen = 0, False, Screen()
    try:
        for answer in conversation.ask(request):
            code |= answers.exit_code(answer)
            done = answers.is_last(answer)
            for text, stream in answers.printed(answer, loud):
                (screen.err if stream is answers.Stream.ERR else screen.out)(text)
    finally:
        screen.clear()
    if not done:
        screen.err(answers.CUT_OFF)
        return 1
    return code


def _is_loud(words: Sequence[str]) -> bool:
    """Whether `-V` shows which host answers: not to the clients for definitions, and only after a noderange."""
    command, args = SENT_AS.get(words[0], words[0]), words[1:]
    begin = 0 if command in WITHOUT_NODERANGE else _noderange_at(args) + 1
    return command not in DEFINITIONS and any(word in _LOUD for word in args[begin:])


def _restore(request: WireRequest, args: Sequence[str]) -> WireRequest:
    """tabrestore sends a file's lines, and the file's name says which table."""
    files = [word for word in args if not word.startswith("-")]
    if len(files) != 1 or not set(args) - set(files) <= {"-a", "--addrows"}:
        raise Usage("tabrestore needs the name of one file", "Type: tabrestore [-a|--addrows] TABLE.csv")
    try:
        with open(files[0], encoding="utf-8", errors="replace", newline="\n") as file:
            lines = tuple(file)
    except OSError:
        failure = NotFound(f"Unable to open {files[0]} for reading")
        failure.exit_code = 3
        raise failure from None
    table = Path(files[0]).name.partition(".")[0]
    return request._replace(table=table, data=lines, addrows=len(args) > 1)


def _noderange_at(args: Sequence[str]) -> int:
    """Where the first word stands that is no option."""
    return next((number for number, word in enumerate(args) if not word.startswith("-")), len(args))


def _definition_word(word: str) -> str:
    return word if "=" in word or word.startswith("-") else _absolute(word)


def _absolute(noderange: str) -> str:
    """The daemon reads a file of nodes, `^file`, in its own directory, so its path has to be whole."""
    elements = noderange.split(",")
    while elements and not elements[-1]:
        elements.pop()
    return ",".join(
        "^" + os.path.realpath(element[1:]) if element.startswith("^") and not element.startswith("^/") else element
        for element in elements
    )


def _for_xcatd(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value for name, value in environment.items()
        if name.startswith("XCAT_") and name != "XCAT_CERT_DIR" and name.replace("_", "a").isalnum() and name.isascii()
    }


def _stdin(environment: Mapping[str, str], anything: bool) -> str | None:
    """What is piped in; None if nothing is. Without a terminal type, wait a second for whether something comes.

    Args:
        environment: The process's variables.
        anything: Read whatever is no terminal, not only a pipe.
    """
    if sys.stdin is None or sys.stdin.closed:
        return None
    descriptor = sys.stdin.fileno()
    if "TERM" not in environment or environment.get("SHELL", "").endswith("/ksh"):
        reads = bool(select.select([descriptor], [], [], 1.0)[0])
    elif anything:
        reads = not os.isatty(descriptor)
    else:
        reads = stat.S_ISFIFO(os.fstat(descriptor).st_mode)
    return sys.stdin.buffer.read().decode("utf-8", "replace") if reads else None
