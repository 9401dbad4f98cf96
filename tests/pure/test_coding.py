"""Bodies that are coded, and bodies that grow when they are decoded."""

from __future__ import annotations

import asyncio
import gzip
import zlib

import httpx
import pytest

from components.coding import aparts, parts

TEXT = b"the manual\n" * 40_000
BODIES = {
    "": TEXT,
    "identity": TEXT,
    "gzip": gzip.compress(TEXT),
    "X-GZip": gzip.compress(TEXT),
    "deflate": zlib.compress(TEXT),
}


def answer(coding: str, *chunks: bytes) -> httpx.Response:
    class Stream(httpx.SyncByteStream, httpx.AsyncByteStream):
        def __iter__(self):
            return iter(chunks)

        async def __aiter__(self):
            for each in chunks:
                yield each

    return httpx.Response(200, headers={"content-encoding": coding} if coding else {}, stream=Stream())


@pytest.mark.parametrize("coding", BODIES)
@pytest.mark.parametrize("size", [7, 1000, 1 << 20])
def test_a_body_is_decoded_whatever_its_chunks(coding, size):
    body = BODIES[coding]
    chunks = [body[at : at + size] for at in range(0, len(body), size)]
    assert b"".join(parts(answer(coding, *chunks))) == TEXT

    async def whole():
        return b"".join([part async for part in aparts(answer(coding, *chunks))])

    assert asyncio.run(whole()) == TEXT


def test_an_answer_that_is_in_memory_is_its_content():
    held = httpx.Response(200, headers={"content-encoding": "gzip"}, content=gzip.compress(TEXT))
    assert b"".join(parts(held)) == TEXT

    async def whole():
        return b"".join([part async for part in aparts(held)])

    assert asyncio.run(whole()) == TEXT


def test_a_body_that_grows_is_decoded_in_small_steps():
    bomb = gzip.compress(bytes(200 << 20))
    given = parts(answer("gzip", bomb))
    assert [len(next(given)) for _ in range(3)] == [64 << 10] * 3


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip, gzip", gzip.compress(gzip.compress(TEXT))),
        ("br", b"\x8b\x02"),
        ("gzip", b"this is none"),
        ("deflate", b"this is none"),
    ],
    ids=["twice", "another", "no gzip", "no deflate"],
)
def test_other_codings_and_broken_ones_are_refused_as_a_client_does(coding, body):
    with pytest.raises(httpx.DecodingError):
        list(parts(answer(coding, body)))
