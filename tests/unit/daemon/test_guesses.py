"""Who has to wait after wrong passwords, for how long, and who has not."""

from __future__ import annotations

import threading

import pytest

from xcat_rhev.clock import ManualClock
from xcat_rhev.daemon.login_throttle import FORGIVEN, FREE, MOST, NAME, WAITS, LoginThrottle, source


class Door:
    """Passwords are right when they are told to be."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.guesses = LoginThrottle(self.clock)
        self.looked = 0

    def tries(self, right: bool, address: str = "10.0.0.1", name: str = "root") -> bool:
        def knows() -> bool:
            self.looked += 1
            return right

        return self.guesses.right(address, name, knows)


def test_some_may_be_wrong_then_each_wait_is_longer() -> None:
    door = Door()
    assert not any(door.tries(False) for _ in range(FREE))
    for wait in (*WAITS, WAITS[-1], WAITS[-1]):
        assert door.tries(False) is False
        looked = door.looked
        door.clock.advance(wait - 0.5)
        assert door.tries(True) is False and door.looked == looked, "before its time nothing is looked at"
        door.clock.advance(0.5)
    assert door.tries(True)
    assert not any(door.tries(False) for _ in range(FREE)) and door.tries(True), "a right one makes up for all"


def test_guesses_at_the_same_time_count_each() -> None:
    guesses, together = LoginThrottle(ManualClock()), threading.Barrier(FREE + 1)

    def wrong() -> bool:
        together.wait(300)
        return False

    threads = [threading.Thread(target=guesses.right, args=("10.0.0.1", "root", wrong)) for _ in range(FREE + 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not guesses.right("10.0.0.1", "root", lambda: True), "one more than are free"


def test_neither_others_nor_other_names_wait() -> None:
    door = Door()
    for _ in range(FREE + 1):
        door.tries(False)
    assert not door.tries(True)
    assert door.tries(True, address="10.0.0.2") and door.tries(True, name="joe")


def test_after_an_hour_all_is_forgotten() -> None:
    door = Door()
    for _ in range(FREE + 1):
        door.tries(False)
    door.clock.advance(WAITS[0] + FORGIVEN + 1)
    assert not any(door.tries(False) for _ in range(FREE)) and door.tries(True)


def test_what_is_kept_in_mind_has_an_end() -> None:
    door = Door()
    for number in range(MOST + 10):
        door.tries(False, name=f"{number}{'x' * NAME * 2}")
    assert len(door.guesses._wrong) == MOST
    assert max(len(name) for _, name in door.guesses._wrong) == NAME


@pytest.mark.parametrize(
    ("address", "whom"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1:2:3", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("no address", "no address"),
    ],
)
def test_whom_an_address_stands_for(address: str, whom: str) -> None:
    assert source(address) == whom
