"""Asking xcatd from within a program: a command, and what it answered."""

from __future__ import annotations

import os
from typing import NamedTuple

from ..errors import FailedState
from ..messages import Data, Error, Message
from ..xcat.answers import exit_code, read_messages
from .client import Conversation, Target
from .run import compose


class XcatAnswer(NamedTuple):
    """What a command answered.

    Attributes:
        code: Its exit code.
        messages: What it said, in order.
    """

    code: int
    messages: list[Message]

    def errors(self) -> list[str]:
        """The errors, each with the node that it is about."""
        found = [each for each in self.messages if isinstance(each, Error)]
        return [f"{each.node}: {each.text}" if each.node else each.text for each in found]

    def texts(self) -> list[str]:
        """The values, without their nodes."""
        return [each.text for each in self.messages if isinstance(each, Data)]


def ask(where: Target, command: str, *args: str) -> XcatAnswer:
    """Run a command.

    Raises:
        Unreachable: No xcatd is there.
    """
    conversation = Conversation(where)
    code, messages = 0, list[Message]()
    try:
        request = compose(command, args, {**os.environ, "TERM": "dumb"})._replace(stdin=None)
        for answer in conversation.ask(request):
            code |= exit_code(answer)
            messages += read_messages(answer)
    finally:
        conversation.close()
    return XcatAnswer(code, messages)


def must(where: Target, command: str, *args: str) -> XcatAnswer:
    """Run a command that has to work.

    Raises:
        FailedState: It did not; with what it said.
    """
    answer = ask(where, command, *args)
    if answer.code:
        raise FailedState("; ".join(answer.errors()) or f"{command} failed")
    return answer
