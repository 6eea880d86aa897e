"""SHA-512 crypt against the vectors published with the algorithm; which hashes are let through."""

import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xcat_rhev.errors import Usage
from xcat_rhev.media.passwords import hash_password, sha512_crypt
from xcat_rhev.secret import Secret

#: "Unix crypt using SHA-256 and SHA-512", Ulrich Drepper, 2007: test vectors of SHA512-crypt.
PUBLISHED = [
    (
        "$6$saltstring",
        "Hello world!",
        "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
    ),
    (
        "$6$rounds=10000$saltstringsaltstring",
        "Hello world!",
        "$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/"
        "y3RnOaw5v.",
    ),
    (
        "$6$rounds=5000$toolongsaltstring",
        "This is just a test",
        "$6$rounds=5000$toolongsaltstrin$lQ8jolhgVRVhY4b5pZKaysCLi0QBxGoNeKQzQ3glMhwllF7oGDZxUhx1yxdYcz/e1JSbq3y6JMxxl8"
        "audkUEm0",
    ),
    (
        "$6$rounds=1400$anotherlongsaltstring",
        "a very much longer text to encrypt.  This one even stretches over morethan one line.",
        "$6$rounds=1400$anotherlongsalts$POfYwTEok97VWcjxIiSOjiykti.o/pQs.wPvMxQ6Fm7I6IoYN3CmLs66x9t0oSwbtEW7o7UmJEiDwG"
        "qd8p4ur1",
    ),
    (
        "$6$rounds=77777$short",
        "we have a short salt string but not a short password",
        "$6$rounds=77777$short$WuQyW2YR.hBNpjjRhpYD/ifIw05xdfeEyQoMxIXbkvr0gge1a1x3yRULJ5CCaUeOxFmtlcGZelFl5CxtgfiAc0",
    ),
    (
        "$6$rounds=10$roundstoolow",
        "the minimum number is still observed",
        "$6$rounds=1000$roundstoolow$kUMsbe306n21p9R.FRkW3IGn.S9NPN0x50YhH1xhLsPuWGsUSklZt58jaTfF4ZEQpyUNGc0dqbpBYYBaHH"
        "rsX.",
    ),
]


@pytest.mark.parametrize("setting, password, expected", PUBLISHED)
def test_published_vectors(setting, password, expected):
    assert sha512_crypt(password, setting) == expected


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
@settings(max_examples=15, deadline=None)
@given(
    password=st.text(
        st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=["C", "Z"]), min_size=1, max_size=70
    ),
    salt=st.text("./0123456789abcXYZ", min_size=1, max_size=16),
)
def test_openssl_gets_the_same(password, salt):
    done = subprocess.run(
        ["openssl", "passwd", "-6", "-salt", salt, "-stdin"],
        input=password.encode(),
        capture_output=True,
        timeout=300,
        check=True,
    )
    assert sha512_crypt(password, f"$6${salt}") == done.stdout.decode().strip()


def test_a_password_is_hashed_with_a_salt_of_its_own():
    first, second = (hash_password(Secret("secret"), "root").reveal() for _ in range(2))
    assert first != second
    assert sha512_crypt("secret", first) == first


@pytest.mark.parametrize(
    "text",
    [
        "$1$5hmJvJMp$.OoCQQXCm4HhXqqKbGjhU0",
        "$5$rounds=5000$usesomesillystri$KqJWpanXZHKq2BOB43TSaYhEWsQ1Lr5QNyPCDH/Tp.6",
        PUBLISHED[1][2],
    ],
)
def test_a_hash_stays_as_it_is(text):
    assert hash_password(Secret(text), "root").reveal() == text


@pytest.mark.parametrize(
    "text",
    [
        "$y$j9T$abc$def",
        "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
        "$6$x",
    ],
)
def test_a_hash_that_no_hypervisor_reads_is_refused_without_showing_it(text):
    with pytest.raises(Usage, match="openssl passwd -6") as caught:
        hash_password(Secret(text), "passwd key=rhevh, username=root")
    assert text not in str(caught.value)


@pytest.mark.parametrize("text", ["$6$x"[1:], "pa$$word", "$HOME", "x" * 300, "ü", "a b"])
def test_what_only_looks_like_a_hash_is_a_password(text):
    assert hash_password(Secret(text), "root").reveal().startswith("$6$")


def test_a_password_that_cannot_be_typed_is_refused():
    with pytest.raises(Usage, match="cannot be typed"):
        hash_password(Secret("a\nb"), "root")
