"""The content coding of an HTTP answer, undone in steps of a bounded size.

A client decodes each chunk whole: 2,600 bytes of gzip within gzip are 1.5 GB before a limit has counted one byte.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    import httpx

#: Headers of a request for a body that is not coded. Stores answer with what was stored, so gzip may come all the same.
PLAIN = {"Accept-Encoding": "identity"}
_IDENTITY = ("", "identity")
_ZLIB = ("gzip", "x-gzip", "deflate")
#: zlib's window for both of its headers, detected from the first bytes.
_EITHER = 32 + zlib.MAX_WBITS
_STEP = 64 << 10


class Decoder:
    """Undo one coding of a body, chunk by chunk. Raises httpx.DecodingError for others and for several."""

    def __init__(self, answer: httpx.Response) -> None:
        import httpx

        coding = answer.headers.get("content-encoding", "").strip().lower()
        if coding not in (*_IDENTITY, *_ZLIB):
            raise httpx.DecodingError(f"a body coded as {coding!r} is not read")
        self._inflate = zlib.decompressobj(_EITHER) if coding in _ZLIB else None

    def parts(self, chunk: bytes) -> Iterator[bytes]:
        """Yield what a chunk decodes to, in parts of at most 64 KiB. Raises httpx.DecodingError."""
        import httpx

        if self._inflate is None:
            yield chunk
            return
        try:
            while part := self._inflate.decompress(chunk, _STEP):
                chunk = self._inflate.unconsumed_tail
                yield part
        except zlib.error as error:
            raise httpx.DecodingError(f"a body that cannot be decoded ({error})") from None


def parts(answer: httpx.Response) -> Iterator[bytes]:
    """Yield the decoded body of a streamed answer. Raises what reading raises, and httpx.DecodingError."""
    if answer.is_stream_consumed:  # the transport has it in memory
        yield answer.content
        return
    decoder = Decoder(answer)
    for chunk in answer.iter_raw():
        yield from decoder.parts(chunk)


def beginning(answer: httpx.Response, most: int) -> bytes:
    """Return the first `most` bytes of the decoded body of a streamed answer. Raises what `parts` does."""
    read = bytearray()
    for part in parts(answer):
        read += part
        if len(read) >= most:
            break
    return bytes(read[:most])


async def aparts(answer: httpx.Response) -> AsyncIterator[bytes]:
    """Yield the decoded body of an answer that is streamed without a thread, as `parts` does."""
    if answer.is_stream_consumed:
        yield answer.content
        return
    decoder = Decoder(answer)
    async for chunk in answer.aiter_raw():
        for part in decoder.parts(chunk):
            yield part
