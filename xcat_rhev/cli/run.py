"""`xcat-rhev run`: one xCAT command, sent to an xcatd and printed as xCAT's own clients do."""

from __future__ import annotations

import os
import select
import signal
import stat
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import FrameType
from typing import NoReturn

from ..errors import NotFound, RhevError, Unreachable, Usage
from ..run.jobcounts import WANTED
from ..xcat import answers
from ..xcat.commandnames import DEFINITIONS, OURS, PERL, SENT_AS, WITHOUT_NODERANGE, nearest
from ..xcat.document import Element
from ..xcat.wire import WireRequest
from . import homes
from .client import Conversation, Target, target
from .jsonanswers import JsonAnswers, failure
from .screen import Screen

USAGE = """\
Usage: xcat-rhev run [--home DIR] [--json] COMMAND [NODERANGE] [ARGUMENTS]
  Runs an xCAT command, such as: rpower vm1-vm3 stat, lsdef -t osimage, copycds FILE.iso
  --json         answer with one JSON object a line, failures too; man xcat-rhev has its fields
  --home DIR     ask the embedded xcatd of this home
  XCATHOST       which xcatd, as host:port; without it the one of the certificates, else localhost:3001
  XCAT_CERT_DIR  folder with ca.pem and client-cred.pem; without it ~/.xcat, else the embedded xcatd's
  xcat-rhev help lists the commands by kind."""

#: What a shell says for a program that is not there.
NOT_FOUND = 127
#: What a shell says for a program that Ctrl-C has ended.
INTERRUPTED = 128 + signal.SIGINT
#: What an xcatd answers for a command that it does not know; a Perl one without an error code.
_UNKNOWN = "Unsupported request"

_LOUD = ("-V", "--verbose")
#: What a document has that tells how things go.
_NOTE = ("warning", "NoWarnPrefix", "xcatdsource")


def main(argv: Sequence[str]) -> int:
    """Run one command.

    Args:
        argv: The command and its arguments.

    Returns:
        All error codes of the answer, joined by OR, as xCAT's clients do; 127 for a command that xcatd does not know
        (0 from xCAT's clients); the system's error number if there is no connection (111 if it is refused); 1 if the
        answer ends early or cannot be printed. After Ctrl-C the process ends by that signal, which is 130 to a shell
        (0 from xCAT's clients).
    """
    as_json = "--json" in argv
    try:
        words, environment = _read(argv)
        if not words or words[0] in ("-h", "--help"):
            print(USAGE)
            return 0 if words else 2
        where = target(environment)
        return _run(where, compose(words[0], words[1:], environment), _is_loud(words), as_json)
    except RhevError as problem:
        _fail(Screen(), as_json, str(problem), problem.exit_code)
        return problem.exit_code


def _read(argv: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Take our own options from the front; `--json` may also stand among the words of a command that does not know it.

    Returns:
        The command with its words, and the variables that name the daemon.

    Raises:
        Usage: `--home` names nothing, or there is no such option.
    """
    words, environment = list(argv), dict(os.environ)
    while words[:1] == ["--json"] or words[:1] == ["--home"]:
        if words.pop(0) == "--home":
            if not words or not words[0]:
                raise _wrong("--home needs the folder of an embedded xcatd")
            environment["XCAT_CERT_DIR"] = str(homes.certificates_of(Path(words.pop(0))))
    if words and words[0].startswith("-") and words[0] not in ("-h", "--help"):
        raise _wrong(f"run has no option {words[0]}")
    if words and "--json" in argv:
        words = [word for word in words if word != "--json"] + ["--json"] * (words[0] in OURS)
    return words, environment


def _wrong(text: str) -> Usage:
    """A word for xcat-rhev itself, not for a command, is wrong."""
    problem = Usage(text, "Run: xcat-rhev run -h")
    problem.exit_code = 2
    return problem


def compose(command: str, args: Sequence[str], environment: Mapping[str, str]) -> WireRequest:
    """Make the request that xCAT's client for this command would make.

    Args:
        command: Its name.
        args: The words after it.
        environment: The process's variables; those that begin with `XCAT_` go along.

    Raises:
        Usage: tabrestore without a file.
        NotFound: tabrestore's file cannot be read, or the current folder was removed.
    """
    request = WireRequest(SENT_AS.get(command, command), cwd=current_folder(), clienttype="cli")
    if command == "tabrestore":
        return _restore(request, args)
    if command in DEFINITIONS:
        return request._replace(args=tuple(map(_definition_word, args)), stdin=_stdin(environment, True))
    shared = request._replace(environment=_for_xcatd(environment, command in OURS), stdin=_stdin(environment, False))
    if shared.command in WITHOUT_NODERANGE:
        return shared._replace(args=tuple(args))
    before = _noderange_at(args)
    noderange = _absolute(args[before]) if before < len(args) else ""
    return shared._replace(noderange=noderange, args=(*args[:before], *args[before + 1 :]))


def current_folder() -> str:
    """Where we are typed.

    Raises:
        NotFound: That folder was removed.
    """
    try:
        return os.getcwd()
    except OSError:
        raise NotFound("the current folder does not exist any more", "Run: cd") from None


def _fail(screen: Screen, as_json: bool, text: str, code: int) -> None:
    """Say what no xcatd says: to a person on standard error, to a program as an object on standard output."""
    if as_json:
        screen.out(failure(text, code))
    else:
        screen.err(f"Error: {text}\n")


def _run(where: Target, request: WireRequest, loud: bool, as_json: bool) -> int:
    screen = Screen(request.command)
    try:
        conversation = Conversation(where)
    except Unreachable as problem:
        if as_json:
            _fail(screen, as_json, f"no xcatd on {where}: {problem}", problem.exit_code)
            return problem.exit_code
        screen.out(f"Unable to open socket connection to xcatd daemon on {where}.\n")
        screen.out("Verify that the xcatd daemon is running and that your SSL setup is correct.\n")
        screen.err(f"{problem}\n")
        return problem.exit_code
    previous = signal.signal(signal.SIGTERM, _interrupt)
    reader = JsonAnswers(request.command, request.args) if as_json else None
    try:
        return _converse(conversation, request, partial(_print, screen, loud, reader), screen)
    except KeyboardInterrupt as stop:
        _stop(conversation, where, screen)
        _end_by(signal.SIGTERM if signal.SIGTERM in stop.args else signal.SIGINT)
        return INTERRUPTED
    finally:
        signal.signal(signal.SIGTERM, previous)
        conversation.close()


def _stop(conversation: Conversation, where: Target, screen: Screen) -> None:
    """Have the daemon stop, and say how far it came; who presses Ctrl-C again does not wait for that."""
    try:
        screen.err("Stopping. What a manager has accepted already goes on there. Ctrl-C again leaves at once.\n")
        conversation.abort()
    except KeyboardInterrupt:
        screen.err(f"Left at once; {where} ends the command by itself.\n")
    if screen.progress:
        screen.err(f"Stopped at: {screen.progress}\n")


def _interrupt(number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt(number)


def _end_by(number: signal.Signals) -> None:
    """Die of the signal that came: a shell goes on with its loop, and systemd calls a stop a failure, for any code."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _print(screen: Screen, loud: bool, reader: JsonAnswers | None, answer: Element) -> None:
    """Show one document; with `--json` what tells how things go is for people all the same."""
    if reader:
        for text in reader.lines(answer):
            screen.out(text)
        shown = ("sinfo", *(_NOTE if "NoWarnPrefix" in answer else ()))
        answer = {key: answer[key] for key in shown if key in answer}
    for text, stream in answers.printed_lines(answer, loud):
        (screen.err if stream is answers.Stream.ERR else screen.out)(text)


def _converse(conversation: Conversation, request: WireRequest, show: Callable[[Element], None], screen: Screen) -> int:
    code, done = 0, False
    try:
        for answer in conversation.ask(request, screen.tick):
            code |= NOT_FOUND if _unknown(answer) else answers.exit_code(answer)
            done = answers.is_last(answer)
            show(answer)
    finally:
        screen.clear()
    if not done:
        screen.err(answers.CUT_OFF)
        return 1
    if code == NOT_FOUND:
        screen.err(_hint(request.command))
    return code


def _unknown(answer: Element) -> bool:
    return any(str(text).startswith(_UNKNOWN) for text in answer.get("error", ()))


def _hint(command: str) -> str:
    """What was meant by a command that xcatd does not know."""
    meant = nearest(command, PERL - {command})
    if command not in PERL and meant:
        return f"Did you mean {meant}?\n"
    return "Run: xcat-rhev help, for the commands by kind\n"


def _is_loud(words: Sequence[str]) -> bool:
    """Whether `-V` shows which host answers: not to the clients for definitions, and only after a noderange."""
    command, args = SENT_AS.get(words[0], words[0]), words[1:]
    begin = 0 if command in WITHOUT_NODERANGE else _noderange_at(args) + 1
    return command not in DEFINITIONS and any(word in _LOUD for word in args[begin:])


def _restore(request: WireRequest, args: Sequence[str]) -> WireRequest:
    """tabrestore sends a file's lines, and the file's name says which table."""
    files = [word for word in args if not word.startswith("-")]
    if len(files) != 1 or not set(args) - set(files) <= {"-a", "--addrows"}:
        raise Usage("tabrestore needs the name of one file", "Run: tabrestore [-a|--addrows] TABLE.csv")
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
    """Where the first word is that is not an option."""
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


def _for_xcatd(environment: Mapping[str, str], ours: bool) -> dict[str, str]:
    """The variables that go along; our commands are told that this client can show progress."""
    return ({WANTED: "1"} if ours else {}) | {
        name: value
        for name, value in environment.items()
        if name.startswith("XCAT_") and name != "XCAT_CERT_DIR" and name.replace("_", "a").isalnum() and name.isascii()
    }


def _stdin(environment: Mapping[str, str], anything: bool) -> str | None:
    """What is piped in; None if nothing is. Without a terminal type, wait a second for whether something comes.

    Args:
        environment: The process's variables.
        anything: Read whatever is not a terminal, not only a pipe.
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
