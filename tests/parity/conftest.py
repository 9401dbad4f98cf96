"""Both halves, standing for all tests of a file: they take one release after the other, as in production."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from components.kinds.static.kind import StaticOptions
from tests.parity.aws import Aws
from tests.parity.container import Container


@pytest.fixture(scope="module")
def halves(tmp_path_factory):
    with ExitStack() as stack:
        aws = Aws(tmp_path_factory.mktemp("aws"), StaticOptions())
        stack.callback(aws.close)
        container = Container(tmp_path_factory.mktemp("container"))
        stack.callback(container.close)
        yield [aws, container]
