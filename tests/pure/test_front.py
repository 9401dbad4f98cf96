"""Rules of a release as lines for its container: each has a known shape, and no text of a site leaves its place."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.kinds.static import front, routes
from components.kinds.static.routes import Routes, Settings
from components.kinds.static.rules import HeaderRule, Redirect
from components.web.caddy import addresses

FOR_ALL = '{"match":[{"vars":{"rules":["@"]},"path_regexp":{"pattern":"^/$"}}],"handle":['


def lines(*redirects, headers=(), **settings):
    made = Routes({"index.html": 1}, Settings(**settings), tuple(redirects), tuple(headers))
    return front.lines(made).splitlines()


def shaped(line):
    return any(re.fullmatch(shape, line) for shape in addresses.SHAPES)


def test_a_site_without_rules_and_settings_has_no_lines_and_so_never_makes_caddy_read_its_file_again():
    assert lines() == []


def test_the_container_refuses_what_the_routes_refuse():
    assert addresses.REFUSED == routes.REFUSED
    assert f"/{front.FILE}".startswith(f"/{routes.OWN}")
    assert routes.HASHED_FILE == ".unmoor/hashed"  # front.sh reads it under that name


def test_defaults_are_those_of_the_settings():
    sent = Routes({}).site_headers("http")
    assert {name: addresses.DEFAULTS[key] for name, key in addresses.SET_HEADERS.items()} == {
        name: sent.get(name, "") for name in addresses.SET_HEADERS
    }


text = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
path = text.map(lambda name: f"/{name}")


@given(
    st.builds(
        Redirect,
        st.one_of(path, path.map(lambda p: f"{p}/*"), path.map(lambda p: f"{p}/:name")),
        st.text(st.sampled_from("/abc$%7:?#=&~'()!*+,;-._"), max_size=20),
        st.sampled_from([301, 302, 303, 307, 308]),
        st.booleans(),
        st.just(1),
    )
)
def test_every_redirect_has_a_known_shape(rule):
    for line in lines(rule):
        assert shaped(line), line
        json.loads(line[2:].removesuffix(","))


@given(
    path,
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30),
    st.sampled_from(["X-A", "Cache-Control"]),
)
def test_every_header_has_a_known_shape_and_no_brace_that_caddy_expands(source, value, name):
    (line,) = lines(headers=[HeaderRule(source, ((name, value),), 1)])
    assert shaped(line), line
    sent = json.loads(line[2:].removesuffix(","))["handle"][-1]["response"]["add"][name][0]
    assert re.sub(r"\\([{}])", r"\1", sent) == value
    assert not re.search(r"(?<!\\)[{}]", sent)


@pytest.mark.parametrize(
    "settings",
    [
        {"trailing_slash": True},
        {"trailing_slash": False},
        {"fallback": 'a b{c}$".html'},
        {"cors": False},
        {"embed": ("self", "https://app.example")},
        {"cache": 60},
    ],
    ids=str,
)
def test_settings_are_one_line_of_a_known_shape(settings):
    (line,) = lines(**settings)
    assert line.startswith("s ")
    assert shaped(line), line


@pytest.mark.parametrize(
    "line",
    [
        's {"handle":[{"handler":"reverse_proxy","upstreams":[{"dial":"evil.example:80"}]}]},',
        's {"match":[{"vars":{"rules":["@"]}}],"handle":[{"handler":"vars","root":"{env.CONTENT}/../caddy"}]},',
        's {"match":[{"vars":{"rules":["@"]}}],"handle":[{"handler":"vars","root":"/"}]},',
        's {"match":[{"vars":{"rules":["@"]}}],"handle":[{"handler":"vars","slash":""},{"handler":"file_server"}]},',
        'r {"input":"@ /a","outputs":["301","/{env.SECRET}",""]},',
        'r {"input":"@ /a","outputs":["200","{file./data/caddy/key}",""]},',
        'r {"input":"@ /a","outputs":["500","/b",""]},',
        'R {"input_regexp":"^@ /a","outputs":["301","/${1}{env.SECRET}",""]},',
        'R {"input_regexp":".*","outputs":["301","/",""]},',
        f'h {FOR_ALL}{{"handler":"headers","response":{{"add":{{"X":["{{env.SECRET}}"]}}}}}}]}},',
        f'h {FOR_ALL}{{"handler":"headers","response":{{"add":{{"X":["v"]}}}}}},{{"handler":"static_response"}}]}},',
        'x {"input":"@ /a","outputs":["301","/b",""]},',
        "",
    ],
)
def test_other_configuration_has_no_known_shape(line):
    """The container asks grep."""
    assert not shaped(line)
    shapes = "\n".join(addresses.SHAPES)
    done = subprocess.run(["grep", "-Exq", shapes], input=f"{line}\n", text=True, check=False)
    assert done.returncode == 1
