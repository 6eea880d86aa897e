"""The arithmetic in regular-expression values, such as `($1%5+1)` or `sprintf("%03d",$1)`: Perl under `use integer`.

An expression becomes functions of the matched parts, and nothing else: it can name nothing of this program.
Numbers are whole, 64 bits wide and cut towards zero, as in Perl; a text counts as the number that it begins with.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import takewhile
from typing import Union

from ..errors import Usage

#: A value under way.
PerlScalar = Union[int, str]
#: What an expression becomes: the matched parts ($1 first) -> its value.
Formula = Callable[[Sequence[str]], PerlScalar]

#: Longer or deeper expressions, and wider numbers, are refused.
LONGEST, DEEPEST, WIDEST = 1000, 50, 255

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>0x[0-9a-fA-F]+|\d+)|\$(?P<part>\d+)|(?P<name>[A-Za-z_]\w*)|(?P<text>'[^']*'|"[^"]*")"""
    r"""|(?P<sign><=>|==|!=|<=|>=|<<|>>|\*\*|&&|\|\||[-+*/%().,?:<>!&|^]))""",
    re.ASCII,
)
_LEADING = re.compile(r"\s*([-+]?\d{1,20})", re.ASCII)
_FORMAT = re.compile(r"%([-+ 0]*)(\d*)(?:\.(\d+))?([dsxXoucb%])", re.ASCII)
_PART_IN_TEXT = re.compile(r"\$\{?(\d+)\}?", re.ASCII)


@lru_cache(maxsize=1024)
def formula(text: str) -> Formula:
    """Prepare an expression.

    Args:
        text: As it is in the table, with or without its parentheses.

    Raises:
        Usage: It is not an expression, or uses what is not supported.
    """
    if len(text) > LONGEST:
        raise Usage(f"an expression is longer than {LONGEST} characters")
    parser = _Parser(text)
    result = parser.choice()
    parser.expect("")
    return result


def number(value: PerlScalar) -> int:
    """What a value counts as."""
    if isinstance(value, int):
        return (value + (1 << 63)) % (1 << 64) - (1 << 63)
    found = _LEADING.match(value)
    return number(int(found[1])) if found else 0


def divide(left: int, right: int) -> int:
    """Divide and cut towards zero.

    Raises:
        Usage: By zero.
    """
    if not right:
        raise Usage("an expression divides by zero")
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def remainder(left: int, right: int) -> int:
    """What `divide` leaves; it has the sign of the left side."""
    return left - right * divide(left, right)


def shift(value: int, places: int) -> int:
    """Shift bits to the left, or to the right if places are negative; the sign stays."""
    return number(value << min(places, 64)) if places >= 0 else value >> min(-places, 64)


def power(base: int, exponent: int) -> int:
    """Raise to a power.

    Raises:
        Usage: The result is not a whole number, or needs more than 64 bits.
    """
    result = base**exponent if 0 <= exponent < 64 or base in (-1, 0, 1) and exponent >= 0 else 1 << 64
    if number(result) != result:
        raise Usage("an expression has a power that is not a whole number of 64 bits")
    return result


#: Binary operators from weak to strong.
_LEVELS: tuple[dict[str, Callable[[PerlScalar, PerlScalar], PerlScalar]], ...] = (
    {"||": lambda a, b: a if _true(a) else b},
    {"&&": lambda a, b: b if _true(a) else a},
    {"|": lambda a, b: number(a) | number(b), "^": lambda a, b: number(a) ^ number(b)},
    {"&": lambda a, b: number(a) & number(b)},
    {
        "==": lambda a, b: _truth(number(a) == number(b)),
        "!=": lambda a, b: _truth(number(a) != number(b)),
        "<=>": lambda a, b: (number(a) > number(b)) - (number(a) < number(b)),
        "eq": lambda a, b: _truth(str(a) == str(b)),
        "ne": lambda a, b: _truth(str(a) != str(b)),
    },
    {
        "<": lambda a, b: _truth(number(a) < number(b)),
        ">": lambda a, b: _truth(number(a) > number(b)),
        "<=": lambda a, b: _truth(number(a) <= number(b)),
        ">=": lambda a, b: _truth(number(a) >= number(b)),
        "lt": lambda a, b: _truth(str(a) < str(b)),
        "gt": lambda a, b: _truth(str(a) > str(b)),
        "le": lambda a, b: _truth(str(a) <= str(b)),
        "ge": lambda a, b: _truth(str(a) >= str(b)),
    },
    {"<<": lambda a, b: shift(number(a), number(b)), ">>": lambda a, b: shift(number(a), -number(b))},
    {
        "+": lambda a, b: number(number(a) + number(b)),
        "-": lambda a, b: number(number(a) - number(b)),
        ".": lambda a, b: _short(str(a) + str(b)),
    },
    {
        "*": lambda a, b: number(number(a) * number(b)),
        "/": lambda a, b: divide(number(a), number(b)),
        "%": lambda a, b: remainder(number(a), number(b)),
        "x": lambda a, b: str(a) * min(max(number(b), 0), 10 * LONGEST // max(len(str(a)), 1)),
    },
)


class _Parser:
    """Reads one expression by descent; `depth` bounds the recursion."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0
        self._depth = 0

    def choice(self) -> Formula:
        """`a ? b : c`, or anything stronger."""
        return self._deeper(self._choice)

    def expect(self, sign: str) -> None:
        """Pass over what has to come next; nothing stands for the end."""
        if not self._take(sign):
            raise Usage(f"an expression has '{self._tokens[self._at][1]}' where '{sign or 'its end'}' was expected")

    def _take(self, *texts: str) -> str | None:
        kind, text = self._tokens[self._at]
        if text not in texts or kind not in ("sign", "name", "end"):
            return None
        self._at += 1
        return text or "end"

    def _deeper(self, parse: Callable[[], Formula]) -> Formula:
        self._depth += 1
        if self._depth > DEEPEST:
            raise Usage("an expression has too many parentheses, powers or signs")
        result = parse()
        self._depth -= 1
        return result

    def _choice(self) -> Formula:
        result = self._binary(0)
        if self._take("?"):
            yes = self.choice()
            self.expect(":")
            result = _either(result, yes, self.choice())
        return result

    def _binary(self, level: int) -> Formula:
        if level == len(_LEVELS):
            return self._unary()
        result = self._binary(level + 1)
        while True:
            sign = self._take(*_LEVELS[level])
            if not sign:
                return result
            result = _join(_LEVELS[level][sign], result, self._binary(level + 1))

    def _unary(self) -> Formula:
        sign = self._take("-", "+", "!")
        return _sign(sign, self._deeper(self._unary)) if sign else self._power()

    def _power(self) -> Formula:
        result = self._primary()
        if self._take("**"):
            result = _join(lambda a, b: power(number(a), number(b)), result, self._deeper(self._unary))
        return result

    def _primary(self) -> Formula:
        if self._take("("):
            result = self.choice()
            self.expect(")")
            return result
        kind, text = self._tokens[self._at]
        self._at += kind != "end"
        if kind == "name":
            return self._call(text)
        if kind not in _LITERALS:
            raise Usage(f"an expression has '{text or 'its end'}' where a value was expected")
        return _LITERALS[kind](text)

    def _call(self, name: str) -> Formula:
        function = FUNCTIONS.get(name)
        if function is None:
            raise Usage(f"an expression uses '{name}', which is not known")
        if not self._take("("):
            return _call(name, function, [self._unary()])
        arguments: list[Formula] = []
        while not self._take(")"):
            if arguments:
                self.expect(",")
            arguments.append(self.choice())
        return _call(name, function, arguments)


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, at, text = [], 0, text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if not found or not found.lastgroup:
            raise Usage(f"an expression has '{text[at : at + 10]}', which is not understood")
        tokens.append((found.lastgroup, found[found.lastgroup]))
        at = found.end()
    return [*tokens, ("end", "")]


def _number_literal(text: str) -> Formula:
    """Perl reads 010 as octal and 0x10 as hexadecimal where a program spells them out."""
    octal = text.startswith("0") and text.isdigit() and not set(text) & {"8", "9"}
    value = number(int(text, 16) if "x" in text else int(text[:60], 8 if octal else 10))
    return lambda _: value


def _part(text: str) -> Formula:
    index = int(text[:4]) - 1
    return lambda parts: parts[index] if 0 <= index < len(parts) else ""


def _text_literal(text: str) -> Formula:
    inside, quote = text[1:-1], text[0]
    if quote == "'" or "$" not in inside:
        return lambda _: inside
    pieces = _PART_IN_TEXT.split(inside)
    formulas = [_part(piece) if number % 2 else _text_literal(f"'{piece}'") for number, piece in enumerate(pieces)]
    return lambda parts: _short("".join(str(formula(parts)) for formula in formulas))


_LITERALS: dict[str, Callable[[str], Formula]] = {
    "number": _number_literal,
    "part": _part,
    "text": _text_literal,
}


def _either(test: Formula, yes: Formula, no: Formula) -> Formula:
    return lambda parts: yes(parts) if _true(test(parts)) else no(parts)


def _join(operator: Callable[[PerlScalar, PerlScalar], PerlScalar], left: Formula, right: Formula) -> Formula:
    return lambda parts: operator(left(parts), right(parts))


def _sign(sign: str, value: Formula) -> Formula:
    if sign == "!":
        return lambda parts: _truth(not _true(value(parts)))
    return (lambda parts: number(-number(value(parts)))) if sign == "-" else value


def _call(name: str, function: Callable[..., PerlScalar], arguments: Sequence[Formula]) -> Formula:
    def call(parts: Sequence[str]) -> PerlScalar:
        try:
            return function(*(argument(parts) for argument in arguments))
        except (TypeError, ValueError, IndexError) as problem:
            raise Usage(f"{name} in an expression: {problem}") from None

    return call


def _truth(fact: bool) -> PerlScalar:
    """Perl's true is 1 and its false an empty text."""
    return 1 if fact else ""


def _true(value: PerlScalar) -> bool:
    return value not in (0, "0", "")


def _short(text: str) -> str:
    if len(text) > 10 * LONGEST:
        raise Usage("an expression makes a very long text")
    return text


def _sprintf(form: PerlScalar, *values: PerlScalar) -> str:
    left = list(values)

    def one(found: re.Match[str]) -> str:
        flags, width, digits, kind = found.groups("")
        if kind == "%":
            return "%"
        value = left.pop(0) if left else 0
        if int(width or 0) > WIDEST or int(digits or 0) > WIDEST:
            raise Usage("an expression makes a very wide number")
        exact = f".{digits}" if digits else ""
        if kind in "sc":
            return f"%{flags.replace('0', '')}{width}{exact}s" % (value if kind == "s" else chr(number(value)))
        if kind == "b":
            return f"{number(value) % (1 << 64):{'0' if '0' in flags else ''}{width}b}"
        whole = number(value) if kind == "d" else number(value) % (1 << 64)
        return f"%{flags}{width}{exact}{kind}" % whole

    return _FORMAT.sub(one, str(form))


def _ipadd(
    b1: PerlScalar,
    b2: PerlScalar,
    b3: PerlScalar,
    b4: PerlScalar,
    add: PerlScalar,
    first: PerlScalar = 0,
    last: PerlScalar = 0,
) -> str:
    """Add to an address, leaving out some values at both ends of the last byte."""
    low, size = number(first), 256 - number(first) - number(last)
    offset = max(number(b4) - low, 0) + number(add)
    return f"{b1}.{b2}.{number(b3) + divide(offset, size)}.{remainder(offset, size) + low}"


def _dim2idx(*values: PerlScalar) -> int:
    """The place, counted from 1, of a cell: index, size, index, size, ..., index; what is missing ends it."""
    place = 0
    for position, value in enumerate(takewhile(lambda value: value != "", values)):
        place = number(place * number(value)) if position % 2 else place + number(value) - 1
    return place + 1


def _skip(index: PerlScalar, skips: PerlScalar) -> PerlScalar:
    """An index with some values left out, `3:2,6` being 3, 4 and 6; -1 if it is one of them."""
    place = wanted = number(index)
    for part in str(skips).split(","):
        start, _, length = part.partition(":")
        first, count = number(start), number(length) if length else 1
        if wanted < first:
            break
        if wanted < first + count:
            return -1
        place -= count
    return index if place == wanted else place


def _substr(text: PerlScalar, start: PerlScalar, length: PerlScalar | None = None) -> str:
    whole, begin = str(text), number(start)
    begin = max(0, begin + len(whole)) if begin < 0 else begin
    if length is None:
        return whole[begin:]
    end = number(length)
    return whole[begin : end if end < 0 else begin + end]


#: The functions that an expression may call: xCAT's own, then Perl's.
FUNCTIONS: dict[str, Callable[..., PerlScalar]] = {
    "ipadd": _ipadd,
    "mknum": lambda text: sum(str(text).encode()),
    "a2idx": lambda text: ord(str(text).lower()[:1] or "\0") - 96,
    "a2zidx": lambda text: ord(str(text).lower()[:1] or "\0") - 97,
    "dim2idx": _dim2idx,
    "skip": _skip,
    "sprintf": _sprintf,
    "int": lambda value: number(value),
    "abs": lambda value: abs(number(value)),
    "length": lambda text: len(str(text)),
    "substr": _substr,
    "lc": lambda text: str(text).lower(),
    "uc": lambda text: str(text).upper(),
    "ord": lambda text: ord(str(text)[:1] or "\0"),
    "chr": lambda value: chr(number(value)),
    "hex": lambda text: number(int(str(text)[:20].removeprefix("0x") or "0", 16)),
    "oct": lambda text: number(int(str(text)[:30] or "0", 8)),
}
