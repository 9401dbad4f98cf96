"""The standard library's parser of HTML, made to read any text, in a time that grows as its length."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

#: References to characters that `int` refuses to read; they name none.
_ENDLESS = re.compile(r"&#[0-9]{1000,}")


class Parser(HTMLParser):
    """A parser to be given handlers and, once, a whole document."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def read(self, text: str) -> None:
        """Read a document. From a tag or comment on that does not end, the rest is text.

        `close` would look for an end from each `<` of the rest again.
        """
        self.feed(_ENDLESS.sub(lambda found: "\N{REPLACEMENT CHARACTER}" * len(found[0]), text))
        if self.rawdata and not self.cdata_elem:
            self.handle_data(unescape(self.rawdata))

    def parse_marked_section(self, i: int, report: bool = True) -> int:  # noqa: FBT001, FBT002 the library calls it so
        """Skip `<![…]>` as browsers do, by any name; the library raises AssertionError for most."""
        if self.rawdata.startswith("<![CDATA[", i):
            return super().parse_marked_section(i, report)
        return self.parse_bogus_comment(i, report)
