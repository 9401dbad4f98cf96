"""Generators that are recognised, and a vendor's rules as ours."""

# ruff: noqa: E501 files keep their lines
from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from components.__main__ import cli
from components.content.generators import recognise
from components.content.vendors import read
from components.errors import ConfigError
from components.kinds.static import rules


def project(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


NOTION = "Home 0123456789abcdef0123456789abcdef.html"
#: Files → generator, build command, folder, options.
KNOWN = {
    "Docusaurus": (
        {"docusaurus.config.js": "module.exports = {trailingSlash: false, baseUrl: '/'}", "package-lock.json": "{}"},
        ("Docusaurus", "npm ci && npm run build", "build", {"trailing_slash": False}),
    ),
    "Docusaurus below website/, with yarn": (
        {"website/docusaurus.config.ts": "export default {baseUrl: '/docs/'}", "website/yarn.lock": ""},
        ("Docusaurus", "cd website && yarn install --frozen-lockfile && yarn build", "website/build", {}),
    ),
    "VitePress": (
        {"docs/.vitepress/config.mts": "export default {cleanUrls: true}", "package.json": '{"scripts": {"docs:build": "vitepress build docs"}}', "pnpm-lock.yaml": ""},
        ("VitePress", "pnpm install --frozen-lockfile && pnpm run docs:build", "docs/.vitepress/dist", {}),
    ),
    "Hugo": ({"hugo.toml": 'publishDir = "out"\n'}, ("Hugo", "hugo --minify --gc", "out", {})),
    "Hugo, older": ({"config.toml": 'title = "x"\n', "archetypes/default.md": ""}, ("Hugo", "hugo --minify --gc", "public", {})),
    "Sphinx": ({"docs/conf.py": "project = 'x'\nextensions = []\n"}, ("Sphinx", "sphinx-build -W -b html docs _build/html", "_build/html", {})),
    "Jekyll": ({"_config.yml": "title: x\n"}, ("Jekyll", "bundle install && bundle exec jekyll build", "_site", {})),
    "mdBook": ({"book.toml": "[book]\ntitle = 'x'\n"}, ("mdBook", "mdbook build .", "book", {})),
    "mdBook with two outputs": (
        {"docs/book.toml": "[build]\nbuild-dir = 'out'\n[output.html]\n[output.linkcheck]\n"},
        ("mdBook", "mdbook build docs", "docs/out/html", {}),
    ),
    "MkDocs": ({"mkdocs.yml": "site_name: x\nsite_dir: public\nx: !ENV y\n"}, ("MkDocs", "mkdocs build --strict", "public", {})),
    "Notion": ({NOTION: "<h1>Home</h1>"}, ("Notion's HTML export", "", ".", {})),
    "Vite": ({"package.json": '{"devDependencies": {"vite": "5"}}'}, ("Vite", "npm install && npm run build", "dist", {"fallback": "index.html"})),
    "Netlify": (
        {"netlify.toml": '[build]\nbase = "web"\ncommand = "make"\npublish = "out"\n'},
        ("Netlify or Vercel project", "cd web && make", "web/out", {}),
    ),
    "Vercel over a generator's defaults": (
        {"hugo.toml": "", "vercel.json": '{"buildCommand": "hugo --gc", "outputDirectory": "./out", "trailingSlash": true}'},
        ("Hugo", "hugo --gc", "out", {"trailing_slash": True}),
    ),
    "VitePress in a folder with a space": (
        {"my docs/.vitepress/config.mts": ""},
        ("VitePress", "npx vitepress build 'my docs'", "my docs/.vitepress/dist", {}),
    ),
    "VitePress with an odd script": (
        {".vitepress/config.mts": "", "package.json": '{"scripts": {"docs; x": "vitepress build"}}'},
        ("VitePress", "npm install && npm run 'docs; x'", ".vitepress/dist", {}),
    ),
    "a folder of HTML": ({"index.html": ""}, ("a folder of HTML", "", ".", {})),
}  # fmt: skip


@pytest.mark.parametrize("name", KNOWN)
def test_a_project_is_recognised(tmp_path: Path, name: str) -> None:
    files, expected = KNOWN[name]
    found = recognise(project(tmp_path, files))
    assert found is not None
    assert (found.generator, found.build, found.folder, found.options) == expected


def test_a_space_of_gitbook_is_recognised(tmp_path: Path) -> None:
    found = recognise(project(tmp_path, {"SUMMARY.md": "", ".gitbook/vars.yaml": ""}))
    assert found is not None
    assert found.build.startswith(f"unmoor content import gitbook {tmp_path} NEW")
    found = recognise(project(tmp_path / "my docs", {"SUMMARY.md": "", ".gitbook/vars.yaml": ""}))
    assert found is not None
    assert found.build.startswith(f"unmoor content import gitbook '{tmp_path}/my docs' NEW")


def test_what_is_none_of_these_is_not_recognised(tmp_path: Path) -> None:
    assert recognise(project(tmp_path, {"main.go": "", "conf.py": "x = 1"})) is None


NETLIFY = """
[build]
  command = "npm run build"
  publish = "dist"
  environment = {NODE_VERSION = "20"}
[[redirects]]
  from = "/old/*"
  to = "/new/:splat"
[[redirects]]
  from = "/a"
  to = "/b"
  status = 302
  force = true
[[redirects]]
  from = "/*"
  to = "/index.html"
  status = 200
[[redirects]]
  from = "/api/*"
  to = "https://api.example/:splat"
  status = 200
[[redirects]]
  from = "/de"
  to = "/x"
  conditions = {Country = ["de"]}
[[redirects]]
  from = "https://old.example/*"
  to = "/:splat"
[[headers]]
  for = "/*"
  [headers.values]
    X-Frame-Options = "DENY"
    Basic-Auth = "me:secret"
[[edge_functions]]
  function = "geo"
[[plugins]]
  package = "x"
[context.deploy-preview]
  command = "x"
"""


def test_netlify_toml_becomes_rules_and_a_list_of_what_is_missing(tmp_path: Path) -> None:
    found = read(project(tmp_path, {"netlify.toml": NETLIFY, "index.html": '<form name="a" data-netlify="true">'}))
    assert found.redirects == ["/old/* /new/:splat 301", "/a /b 302!"]
    assert found.options == {"fallback": "index.html"}
    assert found.headers_text() == "/*\n  X-Frame-Options: DENY\n"
    assert (found.build, found.folder) == ("npm run build", "dist")
    assert [line.partition("; ")[0] for line in found.missing] == [
        "netlify.toml: redirects[4]: no equivalent for /api/* that answers what https://api.example/:splat answers",
        "netlify.toml: redirects[5]: no equivalent for /de with conditions",
        "netlify.toml: redirects[6]: no equivalent for a redirect of another host, https://old.example/*",
        "netlify.toml: headers[1]: no equivalent for a password (Basic-Auth)",
        "netlify.toml: no equivalent for edge functions",
        "netlify.toml: no equivalent for build plugins",
        "netlify.toml: context: no equivalent for builds for deploy-preview",
        "netlify.toml: build.environment: no equivalent for NODE_VERSION",
        "index.html: no equivalent for a form that Netlify receives",
    ]
    assert "secret" not in "".join(found.missing)


VERCEL = {
    "cleanUrls": True,
    "redirects": [
        {"source": "/old/:path*", "destination": "/new/:path*", "permanent": False},
        {"source": "/blog/:slug", "destination": "/posts/:slug"},
        {"source": "/x/(\\d+)", "destination": "/y/$1"},
        {"source": "/z", "destination": "/w", "has": [{"type": "host", "value": "a"}]},
        {"source": "/all/(.*)", "destination": "https://a.example/$1", "statusCode": 301},
    ],
    "rewrites": [
        {"source": "/(.*)", "destination": "/index.html"},
        {"source": "/api/(.*)", "destination": "https://api.example/$1"},
    ],
    "headers": [
        {"source": "/(.*)", "headers": [{"key": "X-A", "value": "1"}]},
        {"source": "/((?!x).*)", "headers": [{"key": "X-B", "value": "1"}]},
    ],
    "functions": {"api/*.js": {}},
    "crons": [{"path": "/x"}],
}


def test_vercel_json_becomes_rules_and_a_list_of_what_is_missing(tmp_path: Path) -> None:
    found = read(project(tmp_path, {"vercel.json": json.dumps(VERCEL), "api/x.js": "", "middleware.ts": ""}))
    assert found.redirects == [
        "/old/* /new/:splat 307",
        "/blog/:slug /posts/:slug 308",
        "/all/* https://a.example/:splat 301",
    ]
    assert found.options == {"fallback": "index.html"}
    assert found.headers == [("/*", [("X-A", "1")])]
    assert [line.partition("; ")[0] for line in found.missing] == [
        "vercel.json: redirects[3]: no equivalent for the expression /x/(\\d+)",
        "vercel.json: redirects[4]: no equivalent for /z with a condition",
        "vercel.json: rewrites[2]: no equivalent for /api/* that answers what https://api.example/:splat answers",
        "vercel.json: headers[2]: no equivalent for headers for /((?!x).*)",
        "vercel.json: no equivalent for functions",
        "vercel.json: no equivalent for jobs by the clock",
        "api/: no equivalent for functions in api/",
        "middleware.ts: no equivalent for edge middleware",
    ]


def test_files_of_rules_are_read_with_their_lines(tmp_path: Path) -> None:
    rules = "# comment\n/a /b\n/x*y /b\n/c/* /d/:splat 302!\n/q id=:id /r/:id 301\n/l / 302 Language=de\n/p https://api.example 200\n/gone /x 404\nnonsense\n/* /index.html 200\n"
    headers = "/*\n  X-A: 1\n  ! X-B\n/b\n  Set-Cookie: a=b\n  Cache-Control: no-cache\n"
    found = read(project(tmp_path, {"public/_redirects": rules, "static/_headers": headers}))
    assert found.redirects == ["/a /b 301", "/c/* /d/:splat 302!"]
    assert found.options == {"fallback": "index.html"}
    assert found.headers_text() == "/*\n  X-A: 1\n/b\n  Cache-Control: no-cache\n"
    assert [line.split(" ")[0] for line in found.missing] == [
        "public/_redirects:3:", "public/_redirects:5:", "public/_redirects:6:", "public/_redirects:7:", "public/_redirects:8:", "public/_redirects:9:",
        "static/_headers:3:", "static/_headers:4:",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("netlify.toml", "[a"),
        ("netlify.toml", "a = " + "[" * 10_000),
        ("vercel.json", "{"),
        ("vercel.json", "[]"),
        ("vercel.json", "[" * 100_000),
        ("hugo.toml", "[a"),
        ("hugo.toml", "a = " + "[" * 10_000),
        ("_config.yml", "a: ["),
    ],
    ids=range(8),
)
def test_a_file_that_cannot_be_read_is_a_sentence_with_its_name(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(ConfigError, match=name):
        recognise(project(tmp_path, {name: text}))


def run(*words: str):
    return CliRunner().invoke(cli, ["content", "recognise", *words], standalone_mode=False)


def test_the_command_prints_and_writes(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", {"netlify.toml": NETLIFY})
    (tmp_path / "out").mkdir()
    (tmp_path / "out/_redirects").write_text("/mine / 301\n/a /b 302!")
    for _ in range(2):  # a second time adds nothing
        done = run(str(folder), "--write", str(tmp_path / "out"))
        assert done.exit_code == 0
        assert (tmp_path / "out/_redirects").read_text() == "/mine / 301\n/a /b 302!\n/old/* /new/:splat 301\n"
        assert (tmp_path / "out/_headers").read_text() == "/*\n  X-Frame-Options: DENY\n"
    assert done.output.splitlines()[:4] == [
        "Netlify or Vercel project: build with `npm run build`",
        "site: dist",
        'fallback: "index.html"',
        "2 rules for _redirects, 1 for _headers",
    ]
    assert json.loads(run(str(folder), "--json").output)["options"] == {"fallback": "index.html"}


def test_the_command_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    for folder, sentence in ((tmp_path, "none of Docusaurus"), (tmp_path / "gone", "not a folder")):
        done = run(str(folder))
        assert isinstance(done.exception, ConfigError)
        assert sentence in str(done.exception)


def test_rules_that_are_written_are_rules_that_are_served(tmp_path: Path) -> None:
    """What is written here is read by the kind `static` without a fault."""
    netlify = read(project(tmp_path / "n", {"netlify.toml": NETLIFY}))
    vercel = read(project(tmp_path / "v", {"vercel.json": json.dumps(VERCEL)}))
    for found in (netlify, vercel):
        assert rules.redirects("\n".join(found.redirects), {"index.html": 1})[1] == []
        assert rules.headers(found.headers_text())[1] == []


@pytest.mark.timeout(30)
def test_forms_are_looked_for_in_one_pass(tmp_path: Path) -> None:
    form = "<form\n name=x data-netlify=true>"
    files = {"a.html": "<form " * 160_000, "b.html": "<form " * 1000 + form, "c.html": "<form><b netlify>"}
    assert read(project(tmp_path, files)).missing == [
        "b.html: no equivalent for a form that Netlify receives; send it to another service"
    ]
