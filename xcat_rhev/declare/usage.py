"""The usage text of a command, as `-h` shows it."""

from __future__ import annotations

from .command import Command


def usage_text(command: Command) -> str:
    """Write what `-h` shows: the command's own text, else the usage line and then one line per option."""
    if command.help_text:
        return command.help_text
    lines = [f"Usage: {command.name} {command.usage}".rstrip()]
    rows = [(word, text) for word, text in command.arguments.items()]
    for option in command.all_options():
        rows.append((", ".join(option.flags) + (f" {option.value}" if option.value else ""), option.help))
    width = max(len(left) for left, _ in rows)
    return "\n".join(lines + [f"  {left:<{width}}  {text}" for left, text in rows])
