"""What is encrypted on its way: whole or not at all, and for nobody else."""

import io
import os

import pytest

from applications.city.export.sealing import BadKey, Sealed, opening, private_keys, public_keys, sealing
from tests.applications.city.export.exports import Keys, opened, sealed

# More than a pipe holds, and more than one part of age.
TEXT = os.urandom(300_000)


@pytest.fixture
def keys():
    return Keys()


def test_what_was_sealed_is_opened(keys):
    content = sealed(TEXT, keys)
    assert TEXT[:100] not in content
    assert opened(content, keys) == TEXT


def test_each_of_several_keys_opens_it(keys):
    other, target = Keys(), io.BytesIO()
    with sealing(target, public_keys(f"{keys.public}\n\n  {other.public} \n")) as stream:
        stream.write(TEXT)
    assert opened(target.getvalue(), keys) == opened(target.getvalue(), other) == TEXT


def test_another_key_does_not(keys):
    with pytest.raises(Sealed, match="another key"):
        opened(sealed(TEXT, keys), Keys())


@pytest.mark.parametrize("length", [0, 1, 30, 200, 70_000, 250_000, -1])
def test_a_part_of_it_is_refused(keys, length):
    with pytest.raises(Sealed, match=r"damaged|no file of age"):
        opened(sealed(TEXT, keys)[:length], keys)


@pytest.mark.parametrize("place", [5, 150, 100_000, -5])
def test_a_changed_byte_is_refused(keys, place):
    content = bytearray(sealed(TEXT, keys))
    content[place] ^= 1
    with pytest.raises(Sealed, match=r"damaged|no file of age|another key"):
        opened(bytes(content), keys)


def test_an_error_of_the_reader_comes_through(keys):
    def read():
        with opening(io.BytesIO(sealed(TEXT, keys)), private_keys(keys.private)) as stream:
            stream.read(1)
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        read()


def test_an_error_of_the_writer_comes_through(keys):
    def write():
        with sealing(io.BytesIO(), public_keys(keys.public)) as stream:
            stream.write(TEXT)
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        write()


def test_a_full_disk_is_said(keys):
    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"), sealing(Full(), public_keys(keys.public)) as stream:
        stream.write(TEXT * 3)


@pytest.mark.parametrize(
    "text", ["", "# nothing", "age1q", "age1xyz", "AGE-SECRET-KEY-1Q", "x" * 5000, "ssh-ed25519 AAAA"]
)
def test_what_is_no_key_is_refused(text):
    for read in (public_keys, private_keys):
        with pytest.raises(BadKey) as refusal:
            read(text)
        assert not text or text not in str(refusal.value)


def test_a_private_key_is_no_public_one(keys):
    for read, text in ((public_keys, keys.private), (private_keys, keys.public)):
        with pytest.raises(BadKey) as refusal:
            read(text)
        assert text not in str(refusal.value)


def test_there_is_a_limit_to_how_many_open_it(keys):
    with pytest.raises(BadKey, match="more than"):
        public_keys("\n".join([keys.public] * 6))
