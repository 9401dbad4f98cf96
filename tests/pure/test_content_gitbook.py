"""GitBook's blocks as Markdown for MkDocs: each with its source, what becomes of it, and what is noted."""

# ruff: noqa: E501, ISC004 a source and its result keep their lines
from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from components.assess.inventory import Drivers
from components.content.gitbook.anchors import slug
from components.content.gitbook.convert import convert
from components.content.gitbook.grammar import attributes, tag
from components.content.notes import Level
from components.content.report import Imported
from components.errors import ConfigError


def space(folder: Path, files: dict[str, str | bytes]) -> Path:
    """Write a space; a page that no table of contents names is put into one."""
    pages = [path for path in files if path.endswith(".md") and not path.startswith(".gitbook")]
    for path, text in {"SUMMARY.md": "".join(f"* [{p}]({p})\n" for p in pages), **files}.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def one(tmp_path: Path, source: str, **more: str | bytes) -> tuple[str, Imported]:
    """Convert a space with one page; return what the page became, without its title, and the report."""
    picture: dict[str, str | bytes] = {".gitbook/assets/a b (1).png": b"png"} if "a b (1)" in source else {}
    files = {"README.md": f"# T\n\n{source}", **picture, **more}
    made = convert(space(tmp_path / "in", files), tmp_path / "out")
    text = (tmp_path / "out/docs/README.md").read_text()
    return text.partition("# T\n\n")[2], made


HINT = '{% hint style="info" %}\n'
CASES = {
    "hint": (HINT + "a\n{% endhint %}", "!!! info\n\n    a\n"),
    "hint, one line": ('{% hint style="danger" %} a {% endhint %}', "!!! danger\n\n    a\n"),
    "hint, unknown style": ('{% hint style="x" %}\na\n{% endhint %}', "!!! info\n\n    a\n"),
    "tabs": (
        '{% tabs %}\n{% tab title="A" %}\na\n{% endtab %}\n\n{% tab title="B "q"" %}\nb\n{% endtab %}\n{% endtabs %}',
        '===! "A"\n\n    a\n\n=== "B &quot;q&quot;"\n\n    b\n',
    ),
    "tabs, many tags on a line": (
        '{% tabs %}{% tab title="A" %}\na\n{% endtab %}{% endtabs %}',
        '===! "A"\n\n    a\n',
    ),
    "tabs of code, older": (
        '{% code-tabs %}\n\n{% code-tabs-item title="a.js" %}\n\n```js\na\n```\n\n{% endcode-tabs-item %}\n\n{% endcode-tabs %}',
        '===! "a.js"\n\n    ```js\n    a\n    ```\n',
    ),
    "code": (
        '{% code title="x.js" overflow="wrap" lineNumbers="true" %}\n```js\na {% b %}\n```\n{% endcode %}',
        '``` js title="x.js" linenums="1"\na {% b %}\n```\n',
    ),
    "code, no language": ('{% code title="x" %}\n```\na\n```\n{% endcode %}', '``` text title="x"\na\n```\n'),
    "code, words behind the language": ("```bash {1,2} foo\na\n```", "```bash\na\n```\n"),
    "code with fences in it": ("````md\n```js\na\n```\n````", "````md\n```js\na\n```\n````\n"),
    "code, indented": ("    a\n    b", "```\na\nb\n```\n"),
    "preformatted": (
        '<pre class="language-json"><code class="lang-json">{\n<strong>  "a": "&#x3C;b>"\n</strong>}\n</code></pre>',
        '``` json hl_lines="2"\n{\n  "a": "<b>"\n}\n```\n',
    ),
    "embed": ('{% embed url="https://a.example/x?a=1&b=(2)" %}', "[a.example/x?a=1&b=(2)](https://a.example/x?a=1&b=%282%29){ .embed }\n"),
    "embed with a caption": (
        '{% embed url="https://a.example" %}\nThe *site*\n{% endembed %}',
        "[The *site*](https://a.example){ .embed }\n",
    ),
    "embed of a video": (
        '{% embed url="https://youtu.be/abcdefghijk" %}',
        '<iframe class="player" src="https://www.youtube-nocookie.com/embed/abcdefghijk" title="Video" loading="lazy" '
        "allowfullscreen></iframe>\n\n[youtu.be/abcdefghijk](https://youtu.be/abcdefghijk){ .embed }\n",
    ),
    "page reference, older": ('{% page-ref page="README.md" %}', "[T](README.md){ .reference }\n"),
    "content reference": ('{% content-ref url="./" %}\n[.](./)\n{% endcontent-ref %}', "[T](README.md){ .reference }\n"),
    "content reference to elsewhere": (
        '{% content-ref url="https://a.example" %}\n[The a](https://a.example)\n{% endcontent-ref %}',
        "[The a](https://a.example){ .reference }\n",
    ),
    "expandable": ("<details>\n\n<summary>S <b>t</b></summary>\n\na\n\n</details>", '??? note "S **t**"\n\n    a\n'),
    "expandable, open": ("<details open><summary>S</summary>\n\na\n\n</details>", '???+ note "S"\n\n    a\n'),
    "stepper": (
        "{% stepper %}\n{% step %}\n### A\n\na\n{% endstep %}\n{% endstepper %}",
        "//// html | ol.steps\n\n/// html | li\n    markdown: block\n\n### A\n\na\n\n///\n\n////\n",
    ),
    "columns": (
        '{% columns %}\n{% column width="40%" %}\na\n{% endcolumn %}\n{% endcolumns %}',
        '//// html | div.columns\n\n/// html | div.column[style="flex: 0 1 40%"]\n\na\n\n///\n\n////\n',
    ),
    "cards": (
        '<table data-view="cards"><thead><tr><th></th><th data-hidden data-card-target data-type="content-ref"></th>'
        '<th data-hidden data-card-cover data-type="files"></th></tr></thead><tbody><tr><td><strong>A</strong></td>'
        '<td><a href="README.md">README.md</a></td><td><a href=".gitbook/assets/a b (1).png">p</a></td></tr></tbody></table>',
        "/// html | div.grid.cards\n\n-   ![](media/a-b-1.png)\n\n    [**A**](README.md)\n\n///\n",
    ),
    "figure": (
        '<figure><img src=".gitbook/assets/a b (1).png" alt="A" width="50"><figcaption><p>c <em>d</em></p></figcaption></figure>',
        '//// html | figure\n\n![A](media/a-b-1.png){ width="50" }\n\n/// html | figcaption\n\nc *d*\n\n///\n\n////\n',
    ),
    "figure without a caption": (
        '<figure><img src=".gitbook/assets/a b (1).png" alt=""><figcaption></figcaption></figure>',
        "![](media/a-b-1.png)\n",
    ),
    "picture, light and dark": (
        '<picture><source srcset=".gitbook/assets/a b (1).png" media="(prefers-color-scheme: dark)">'
        '<img src=".gitbook/assets/a b (1).png" alt="L"></picture>',
        "![L](media/a-b-1.png#only-light)![L](media/a-b-1.png#only-dark)\n",
    ),
    "image": ("![A](<.gitbook/assets/a b (1).png>)", "![A](media/a-b-1.png)\n"),
    "image in a line": (
        'a <img src=".gitbook/assets/a b (1).png" alt="i" data-size="line"> b',
        "a ![i](media/a-b-1.png){ .inline } b\n",
    ),
    "file": (
        '{% file src=".gitbook/assets/a b (1).png" %}\ncaption\n{% endfile %}',
        "[a b (1).png](media/a-b-1.png){ .file }\n\ncaption\n",
    ),
    "math": ("$$\na_b\n$$", "$$\na_b\n$$\n"),
    "math in a line": ("x $$a_b$$ y, $5", "x \\(a_b\\) y, $5\n"),
    "mention of a page": ('[README.md](README.md "mention")', "[T](README.md)\n"),
    "button": (
        '<a href="https://a.example" class="button primary">Go</a>',
        "[Go](https://a.example){ .md-button .md-button--primary }\n",
    ),
    "icon": ('<i class="fa-github">:github:</i> x', ":fontawesome-brands-github: x\n"),
    "emoji": (":house: x", ":house: x\n"),
    "colour": ('<mark style="color:red;">a</mark>', '<mark style="color:red;">a</mark>\n'),
    "updates": (
        '{% updates format="full" %}\n{% update date="2026-01-02" %}\na\n{% endupdate %}\n{% endupdates %}',
        "/// html | div.update\n\n*2026-01-02*\n\na\n\n///\n",
    ),
    "diagram": (
        '{% @mermaid/diagram content="graph TD\n  A["x"] --> B" %}',
        '```mermaid\ngraph TD\n  A["x"] --> B\n```\n',
    ),
    "annotation": ("a[^1]\n\n[^1]: word", "a[^1]\n\n[^1]: word\n"),
    "table": ("| a | b |\n| :- | -: |\n| `x\\|y` | p \\| q |", "| a | b |\n| :--- | ---: |\n| `x|y` | p \\| q |\n"),
    "table of HTML": (
        '<table data-header-hidden><thead><tr><th>A</th><th data-type="checkbox">B</th><th data-hidden>C</th></tr></thead>'
        '<tbody><tr><td>a<br>b | c</td><td>true</td><td>h</td></tr></tbody></table>',
        "| A | B |\n| --- | --- |\n| a<br>b \\| c | ✓ |\n",
    ),
    "list": ("* a\n  * b\n* c", "-   a\n    -   b\n-   c\n"),
    "list, numbered": ("3. a\n4. b\n\n   more", "3.  a\n\n4.  b\n\n    more\n"),
    "tasks": ("* [ ] a\n* [x] b", "-   [ ] a\n-   [x] b\n"),
    "list with a hint": ("* a\n\n  " + HINT + "  b\n  {% endhint %}", "-   a\n\n    !!! info\n\n        b\n"),
    "quote with a hint": ("> " + HINT + "> b\n> {% endhint %}", "> !!! info\n>\n>     b\n"),
    "a number sign that is no heading": ("#1 is a", "\\#1 is a\n"),
    "a number in a paragraph": ("a\n2. b", "a\n2\\. b\n"),
    "lines that are broken": ("**a**: b  \nc \\\n\\\nd", "**a**: b  \nc \\\n\\\nd\n"),
    "an address as its own name": ("[https://a.example](https://a.example/)", "[https://a.example](https://a.example/)\n"),
    "escaped marks": ("\\~23 \\(as of\\) a\\_b \\<c>", "\\~23 \\(as of\\) a\\_b \\<c>\n"),
    "braces behind code": ("`a`{b} {c}", "`a`\\{b} {c}\n"),
    "an unknown element": ("put <your-key> here", "put &lt;your-key> here\n"),
    "a handler": ('<mark onclick="x()" style="position:fixed">a</mark>', "<mark>a</mark>\n"),
    "a script": ("<script>alert(1)</script>", "alert(1)\n"),
    "a link that runs code": ("[a](javascript:alert(1))", "a\n"),
    "a comment": ("a\n\n<!-- secret -->\n\nb <!-- more -->", "a\n\nb \n"),
    "a reference": ("[a][r] and [r]\n\n[r]: https://a.example 'T'", '[a](https://a.example "T") and [r](https://a.example "T")\n'),
    "heading with an anchor": ('## A b <a href="#x.1" id="x.1"></a>', "## A b { #x.1 }\n"),
    "heading with a code": ("## `a` & b", "## `a` & b { #a-and-b }\n"),
    "heading, plain": ("## Plain words 2", "## Plain words 2\n"),
    "conditional content": ("{% if visitor.claims.x %}\nsecret\n{% endif %}\n\nb", "b\n"),
    "a block that is not known": ('{% foo a="b" %}\n\n{% bar %}\nc\n{% endbar %}', '`{% foo a="b" %}`\n\nc\n'),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_block_becomes(tmp_path: Path, name: str) -> None:
    source, expected = CASES[name]
    assert one(tmp_path, source)[0] == expected


@pytest.mark.parametrize("name", CASES)
def test_line_ends_of_windows_change_nothing(tmp_path: Path, name: str) -> None:
    source, expected = CASES[name]
    files = {"README.md": f"# T\n\n{source}\n".replace("\n", "\r\n"), ".gitbook/assets/a b (1).png": b"png"}
    convert(space(tmp_path / "in", files), tmp_path / "out")
    assert (tmp_path / "out/docs/README.md").read_text().partition("# T\n\n")[2] == expected


def test_a_block_in_each_container_keeps_its_meaning(tmp_path: Path) -> None:
    """Each block once inside a tab, a step, a column and a fold: the same lines, four columns in or between marks."""
    for number, (name, (source, expected)) in enumerate(CASES.items()):
        if any(word in name for word in ("tab", "reference", "annotation", "heading", "indented")):
            continue
        inside = f'{{% tabs %}}\n{{% tab title="t" %}}\n{source}\n{{% endtab %}}\n{{% endtabs %}}\n'
        made, _ = one(tmp_path / str(number), inside)
        wanted = "".join(f"    {line}\n" if line else "\n" for line in expected.rstrip("\n").split("\n"))
        assert made == '===! "t"\n\n' + wanted, name


API = """{% api-method method="get" host="https://a.example" path="/v1/{id}" %}
{% api-method-summary %}
Get a block
{% endapi-method-summary %}

{% api-method-description %}
Text.
{% endapi-method-description %}

{% api-method-spec %}
{% api-method-request %}
{% api-method-path-parameters %}
{% api-method-parameter name="id" type="integer" required=true %}
Height | of
it
{% endapi-method-parameter %}
{% endapi-method-path-parameters %}
{% api-method-query-parameters %}
{% api-method-parameter name="full\\_tx" type="boolean" %}
{% endapi-method-parameter %}
{% endapi-method-query-parameters %}
{% endapi-method-request %}

{% api-method-response %}
{% api-method-response-example httpCode=200 %}
{% api-method-response-example-description %}
Good.
{% endapi-method-response-example-description %}

```
{}
```
{% endapi-method-response-example %}
{% endapi-method-response %}
{% endapi-method-spec %}
{% endapi-method %}"""
CALL = """## Get a block { #get-a-block }

**GET** `https://a.example/v1/{id}`

Text.

**Path parameters**

| Name | Type | Required | Description |
| --- | --- | --- | --- |
| `id` | integer | yes | Height \\| of<br>it |

**Query parameters**

| Name | Type | Required | Description |
| --- | --- | --- | --- |
| `full_tx` | boolean | no |  |

===! "200"

    Good.

    ```
    {}
    ```
"""


def test_an_api_method_becomes_a_section(tmp_path: Path) -> None:
    assert one(tmp_path, API)[0] == CALL


def test_two_api_methods_of_one_name_have_two_anchors(tmp_path: Path) -> None:
    made = one(tmp_path, f"{API}\n\n{API}")[0]
    assert "{ #get-a-block }" in made
    assert "{ #get-a-block-1 }" in made


def test_the_later_form_of_an_api_method(tmp_path: Path) -> None:
    source = """{% swagger method="post" path="/v1/x" baseUrl="https://a.example" summary="Send it" %}
{% swagger-description %}
Text.
{% endswagger-description %}
{% swagger-parameter in="query" name="speed" type="string" required="true" %}
`fast`
{% endswagger-parameter %}
{% swagger-response status="200: OK" description="Sent" %}
```json
{}
```
{% endswagger-response %}
{% endswagger %}"""
    made = one(tmp_path, source)[0]
    assert made.startswith("## Send it { #send-it }\n\n**POST** `https://a.example/v1/x`\n\nText.\n")
    assert "| `speed` | string | yes | `fast` |" in made
    assert made.endswith('===! "200: OK"\n\n    Sent\n\n    ```json\n    {}\n    ```\n')


SPEC = """openapi: 3.0.3
servers: [{url: "https://a.example/"}]
components: {parameters: {limit: {name: limit, in: query, schema: {type: integer}, description: "How | many"}}}
paths: {/p: {get: {summary: List, parameters: [{$ref: "#/components/parameters/limit"}], responses: {"200": {description: A list}}}}}
"""


def test_an_operation_of_a_specification_in_the_repository_is_written_out(tmp_path: Path) -> None:
    source = '{% openapi src="spec.yaml" path="/p" method="get" %}\n[spec.yaml](spec.yaml)\n{% endopenapi %}'
    made, report = one(tmp_path, source, **{"spec.yaml": SPEC})
    assert made.startswith("## List { #list }\n\n**GET** `https://a.example/p`")
    assert "| `limit` | integer | no | How \\| many |" in made
    assert report.notes.of(Level.WORK) == []


OTHER_SHAPES = (
    SPEC.replace("parameters: [", "parameters: 5, x: ["),
    SPEC.replace("servers: [", "servers: {a: 1}\nx: ["),
    SPEC.replace("servers: [", "servers: [a]\nx: ["),
    SPEC.replace("schema: {type: integer}", "schema: integer"),
    SPEC.replace('responses: {"200": {description: A list}}', "responses: [1]"),
    "paths: {/p: {get: 5}}",
    "paths: {/p: [get]}",
    "[paths]",
)


@pytest.mark.parametrize("text", OTHER_SHAPES)
def test_an_operation_of_another_shape_is_a_reference_and_work(tmp_path: Path, text: str) -> None:
    made, report = one(
        tmp_path, '{% openapi src="a.yaml" path="/p" method="get" %}\n{% endopenapi %}', **{"a.yaml": text}
    )
    assert made == "**GET** `/p`\n"
    assert [note.line for note in report.notes.of(Level.WORK)] == [3]


def test_lists_of_a_specification_may_be_empty(tmp_path: Path) -> None:
    source = '{% openapi src="a.yaml" path="/p" method="get" %}\n{% endopenapi %}'
    made, report = one(
        tmp_path, source, **{"a.yaml": "servers:\npaths: {/p: {parameters: , get: {parameters: , responses: }}}"}
    )
    assert made == "**GET** `/p`\n"
    assert report.notes.of(Level.WORK) == []


def test_a_link_to_a_copy_elsewhere_finds_the_file_of_that_name(tmp_path: Path) -> None:
    source = '{% openapi-operation spec="s" path="/p" method="get" %}\n[S](https://raw.example/x/spec.yaml?token=1)\n{% endopenapi-operation %}'
    made, report = one(tmp_path, source, **{".gitbook/assets/spec.yaml": SPEC})
    assert made.startswith("## List { #list }\n\n**GET** `https://a.example/p`")
    assert report.notes.of(Level.WORK) == []


def test_an_address_that_is_none_is_no_error(tmp_path: Path) -> None:
    source = '{% openapi src="https://[a/b" path="/p" method="get" %}\n[x](https://[b/c)\n{% endopenapi %}\n\n{% embed url="https://[a" %}\n\n![](https://[c)'
    _, report = one(tmp_path, source)
    assert {note.line for note in report.notes.of(Level.WORK)} == {3, 4, 7, 9}


def test_an_operation_of_a_specification_elsewhere_is_a_reference_and_work(tmp_path: Path) -> None:
    source = '{% openapi-operation spec="s" path="/p" method="get" %}\n[S](https://a.example/s.json)\n{% endopenapi-operation %}'
    made, report = one(tmp_path, source)
    assert made == "**GET** `/p`\n\n[S](https://a.example/s.json)\n"
    assert [note.line for note in report.notes.of(Level.WORK)] == [3]


def test_variables_have_their_values_and_unknown_ones_are_work(tmp_path: Path) -> None:
    source = '{{ space.vars.name }} <code class="expr">page.vars.n</code> {{ visitor.claims.x }}'
    files = {"README.md": f"---\nvars: {{n: 5}}\n---\n\n# T\n\n{source}", ".gitbook/vars.yaml": "name: a_b\n"}
    made = convert(space(tmp_path / "in", files), tmp_path / "out")
    assert "a\\_b 5 \\{\\{ visitor.claims.x \\}\\}\n" in (tmp_path / "out/docs/README.md").read_text()
    assert [(note.line, note.topic) for note in made.notes.of(Level.WORK)] == [(7, "expressions")]


def test_an_include_is_put_in_with_links_of_its_own_folder(tmp_path: Path) -> None:
    files = {
        "README.md": '# T\n\n{% include ".gitbook/includes/a.md" %}\n',
        "sub/p.md": '# P\n\n{% include "../.gitbook/includes/a.md" %}\n',
        ".gitbook/includes/a.md": "---\ntitle: a\n---\n\n[back](../../README.md) and ![](../assets/x.png)\n",
        ".gitbook/assets/x.png": b"p",
    }
    convert(space(tmp_path / "in", files), tmp_path / "out")
    assert "[back](README.md) and ![](media/x.png)" in (tmp_path / "out/docs/README.md").read_text()
    assert "[back](../README.md) and ![](../media/x.png)" in (tmp_path / "out/docs/sub/p.md").read_text()


def test_an_include_of_itself_ends_with_a_note(tmp_path: Path) -> None:
    files = {
        "README.md": '# T\n\n{% include ".gitbook/includes/a.md" %}\n',
        ".gitbook/includes/a.md": '{% include "a.md" %}\n\nafter\n',
    }
    made = convert(space(tmp_path / "in", files), tmp_path / "out")
    assert "after" in (tmp_path / "out/docs/README.md").read_text()
    assert [(note.file, note.line) for note in made.notes.of(Level.WORK)] == [(".gitbook/includes/a.md", 1)]


def test_links_find_their_page_by_every_name_that_gitbook_uses(tmp_path: Path) -> None:
    names = ("b/c.md", "b/c", "/b/c.md", "./b/c", "b/", "b", "b/README.md", "B/C.md")
    files = {
        "README.md": "# T\n\n" + "\n\n".join(f"[x]({name})" for name in names),
        "b/README.md": "# B",
        "b/c.md": "# C",
    }
    made = convert(space(tmp_path / "in", files), tmp_path / "out")
    text = (tmp_path / "out/docs/README.md").read_text()
    assert text.count("[x](b/c.md)") == 5
    assert text.count("[x](b/README.md)") == 3
    assert made.notes.all == []


def test_links_to_the_published_site_become_links_between_pages(tmp_path: Path) -> None:
    files = {
        "README.md": "# T\n\n[x](https://docs.dao.example/b#h) [y](https://docs.dao.example.evil/b)",
        "b.md": "# B\n\n## H",
    }
    convert(space(tmp_path / "in", files), tmp_path / "out", "https://docs.dao.example/")
    assert "[x](b.md#h) [y](https://docs.dao.example.evil/b)" in (tmp_path / "out/docs/README.md").read_text()


BROKEN = {
    "../../etc/passwd": "leads out of the space",
    "nothing.md": "leads to a file that is not there",
    "broken-reference": "was broken at the vendor already",
    "/broken/pages/abc": "was broken at the vendor already",
    "data:text/html,x": "has a scheme that a page must not have",
    "draft.md": "leads to a page that SUMMARY.md does not name, so it is not published",
}


@pytest.mark.parametrize("href", BROKEN)
def test_a_link_that_leads_nowhere_becomes_text_and_a_note(tmp_path: Path, href: str) -> None:
    files = {"SUMMARY.md": "* [T](README.md)\n", "README.md": f"# T\n\na [b *c*]({href}) d\n", "draft.md": "# D\n"}
    made = convert(space(tmp_path / "in", files), tmp_path / "out")
    assert "a b *c* d\n" in (tmp_path / "out/docs/README.md").read_text()
    (note,) = made.notes.of(Level.WORK)
    assert (note.file, note.line) == ("README.md", 3)
    assert BROKEN[href] in note.what


def test_a_symbolic_link_out_of_the_repository_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"secret")
    folder = space(tmp_path / "in", {"README.md": "# T\n\n![a](x.png)\n"})
    (folder / "x.png").symlink_to(secret)
    convert(folder, tmp_path / "out")
    assert not list((tmp_path / "out").rglob("x.png"))


def test_a_page_that_is_a_link_out_of_the_repository_is_not_published(tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("# Secret\n")
    folder = space(
        tmp_path / "in",
        {
            "README.md": '# T\n\n{% include "inc.md" %}\n',
            "SUMMARY.md": "* [T](README.md)\n* [S](s.md)\n* [G](gone.md)\n",
        },
    )
    for name, target in (
        ("s.md", "../secret.md"),
        ("inc.md", "../secret.md"),
        ("gone.md", "nowhere"),
        ("loop.md", "loop.md"),
    ):
        (folder / name).symlink_to(target)
    made = convert(folder, tmp_path / "out")
    assert "Secret" not in "".join(path.read_text() for path in (tmp_path / "out/docs").rglob("*.md"))
    assert {(note.file, note.line) for note in made.notes.of(Level.WORK)} == {
        ("SUMMARY.md", 2),
        ("SUMMARY.md", 3),
        ("README.md", 3),
    }


def test_a_page_of_the_size_of_a_book_is_named_and_the_rest_is_done(tmp_path: Path) -> None:
    files = {"README.md": "# T\n", "big.md": "# Big\n" + "word " * 1_100_000}
    made = convert(space(tmp_path / "in", files), tmp_path / "out")
    assert [str(note) for note in made.notes.all] == ["big.md: it has 6 MB of text; carry it by hand"]
    assert (tmp_path / "out/docs/README.md").read_text() == "# T\n"


def test_files_with_one_safe_name_get_two(tmp_path: Path) -> None:
    source = "![](<.gitbook/assets/a b (1).png>) ![](.gitbook/assets/a-b-1.png)"
    made, _ = one(tmp_path, source, **{".gitbook/assets/a-b-1.png": b"other"})
    assert made == "![](media/a-b-1.png) ![](media/a-b-1-2.png)\n"
    assert (tmp_path / "out/docs/media/a-b-1.png").read_bytes() == b"png"
    assert (tmp_path / "out/docs/media/a-b-1-2.png").read_bytes() == b"other"


# Headings and anchors that GitBook wrote into links of public repositories.
ANCHORS = {
    "1. Textures": "id-1.-textures",
    "1. What forms of payments are supported by the SDK?": "id-1.-what-forms-of-payments-are-supported-by-the-sdk",
    "2. Call atClient_put_public_key": "id-2.-call-atclient_put_public_key",
    ".NET (C#)": ".net-c",
    "Node.js": "node.js",
    "SUID/SGID executables abusing shell features": "suid-sgid-executables-abusing-shell-features",
    "API Stub (optional)": "api-stub-optional",
    "What's New": "whats-new",
    "목차": "undefined",
}


@pytest.mark.parametrize("heading", ANCHORS)
def test_anchors_are_those_of_gitbook(heading: str) -> None:
    assert slug(heading) == ANCHORS[heading]


def test_a_link_shows_what_gitbook_made_of_a_heading(tmp_path: Path) -> None:
    source = "[a](#azure-a-d) [b](#dup-1)\n\n## Azure AD\n\n## Dup\n\n## Dup\n"
    made, report = one(tmp_path, source)
    assert "## Azure AD { #azure-a-d }" in made
    assert "## Dup\n\n## Dup { #dup-1 }" in made
    assert report.notes.all == []


def test_a_link_to_a_heading_that_is_not_there_leads_to_the_page(tmp_path: Path) -> None:
    made, report = one(tmp_path, "[a](other.md#gone)", **{"other.md": "# O\n"})
    assert made == "[a](other.md)\n"
    assert [(note.line, note.topic) for note in report.notes.all] == [(3, "links to missing headings")]


TROUBLE = {
    "a hint that never closes": (HINT + "a\n\n## B\n\nc", "!!! info\n\n    a\n\n## B\n\nc\n", [3]),
    "a hint that never closes, at the end": (HINT + "a", "!!! info\n\n    a\n", [3]),
    "an end that ends nothing": ("a\n\n{% endhint %}\n\nb", "a\n\nb\n", [5]),
    "blocks that cross": (
        HINT + '{% tabs %}\n{% tab title="A" %}\na\n{% endhint %}\n\nb\n\n{% endtab %}\n{% endtabs %}',
        '!!! info\n\n    ===! "A"\n\n        a\n\nb\n', [4, 5, 11, 12],
    ),
    "a tab that never closes": (
        '{% tabs %}\n{% tab title="A" %}\na\n\n{% tab title="B" %}\nb\n{% endtab %}\n{% endtabs %}',
        '===! "A"\n\n    a\n\n=== "B"\n\n    b\n', [4],
    ),
    "an end inside a list": (
        '{% tabs %}\n{% tab title="A" %}\n* a\n  {% endtab %}\n{% endtabs %}\n\nb', '===! "A"\n\n    -   a\n\nb\n', [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TROUBLE)
def test_broken_nesting_is_noted_with_its_place_and_nothing_is_lost(tmp_path: Path, name: str) -> None:
    source, expected, lines = TROUBLE[name]
    made, report = one(tmp_path, source)
    assert made == expected
    assert [note.line for note in sorted(report.notes.all)] == lines


def test_two_pages_with_one_address_get_two(tmp_path: Path) -> None:
    files = {"README.md": "# T\n\n[a](a.md) [b](a/README.md)", "a.md": "# A", "a/README.md": "# B"}
    made = convert(space(tmp_path / "in", files), tmp_path / "out")
    assert (tmp_path / "out/docs/a.md").read_text() == "# A\n"
    assert (tmp_path / "out/docs/a-2.md").read_text() == "# B\n"
    assert "[a](a.md) [b](a-2.md)" in (tmp_path / "out/docs/README.md").read_text()
    assert [str(note) for note in made.notes.all] == [
        "a/README.md: its address /a/ is that of a.md; it is at /a-2/; rename one of the two"
    ]


def test_a_page_that_is_not_utf_8_is_read_and_noted(tmp_path: Path) -> None:
    files = {"README.md": "# T\n\nCafé €\n".encode("cp1252"), "b.md": "# B\n".encode("utf-16")}
    made = convert(space(tmp_path / "in", files), tmp_path / "out")
    assert "Café €\n" in (tmp_path / "out/docs/README.md").read_text()
    assert (tmp_path / "out/docs/b.md").read_text() == "# B\n"
    assert [str(note) for note in sorted(made.notes.all)] == [
        "README.md: it is not UTF-8 in line 3; it was read as Windows-1252; look for characters that are wrong",
        "b.md: it is UTF-16, not UTF-8; look for characters that are wrong",
    ]


def test_a_large_file_is_carried_and_noted(tmp_path: Path) -> None:
    folder = space(tmp_path / "in", {"README.md": "# T\n\n![](big.png)\n"})
    with (folder / "big.png").open("wb") as file:
        file.truncate(100_000_000)
    made = convert(folder, tmp_path / "out")
    assert (tmp_path / "out/docs/media/big.png").stat().st_size == 100_000_000
    assert [str(note) for note in made.notes.all] == ["big.png: it has 100 MB; make it smaller, or link to it"]


def test_front_matter_that_is_not_yaml_is_noted(tmp_path: Path) -> None:
    made = convert(space(tmp_path / "in", {"README.md": "---\na: [\n---\n\n# T\n"}), tmp_path / "out")
    assert (tmp_path / "out/docs/README.md").read_text() == "# T\n"
    assert [(note.file, note.topic) for note in made.notes.all] == [("README.md", "front matter")]


def test_front_matter_is_carried(tmp_path: Path) -> None:
    head = "---\ntitle: 'X: y'\ndescription: A *d*\nicon: rocket\nhidden: true\nlayout: {outline: {visible: false}}\nodd: 1\n---\n"
    files = {"SUMMARY.md": "* [T](README.md)\n* [B](b.md)\n", "README.md": "# T\n", "b.md": f"{head}\n# B\n"}
    made = convert(space(tmp_path / "in", files), tmp_path / "out")
    _, front, body = (tmp_path / "out/docs/b.md").read_text().split("---\n")
    assert yaml.safe_load(front) == {
        "title": "X: y",
        "description": "A *d*",
        "icon": "fontawesome/solid/rocket",
        "search": {"exclude": True},
        "hide": ["toc"],
    }
    assert body == "\n# B\n\nA \\*d\\*\n{ .lead }\n"
    assert [(note.level, note.what) for note in made.notes.all] == [(Level.LEFT, "the setting 'odd'")]


def test_the_table_of_contents_becomes_the_navigation(tmp_path: Path) -> None:
    contents = """# Table of contents

* [Home](README.md)
* [A](a/README.md)
  * [A b](a/b.md "Short")
  * [Hidden](a/c.md)
* [Gone](gone.md)

## Group \\(one\\)

* [Else](https://a.example)
* Words
  * [D](d.md)
"""
    files = {"SUMMARY.md": contents, "README.md": "# H", "a/README.md": "# A", "a/b.md": "# B", "d.md": "# D"}
    files["a/c.md"] = "---\nhidden: true\n---\n# C"
    made = convert(space(tmp_path / "in", files), tmp_path / "out")
    text = (tmp_path / "out/mkdocs.yml").read_text()
    own = yaml.safe_load(text[: text.index("docs_dir:")])
    assert own["nav"] == [
        {"Home": "README.md"},
        {"A": ["a/README.md", {"Short": "a/b.md"}]},
        {"Group (one)": [{"Else": "https://a.example"}, {"Words": [{"D": "d.md"}]}]},
    ]
    assert own["not_in_nav"] == "/a/c.md\n"
    assert [str(note) for note in made.notes.all] == [
        "SUMMARY.md:7: 'gone.md' is not a page of the space; remove the line, or add the page"
    ]


def test_pages_that_are_not_published_are_listed(tmp_path: Path) -> None:
    files = {"SUMMARY.md": "* [T](README.md)\n", "README.md": "# T\n", "draft.md": "# D\n"}
    made = convert(space(tmp_path / "in", files), tmp_path / "out")
    assert not (tmp_path / "out/docs/draft.md").exists()
    assert [(note.file, note.level) for note in made.notes.all] == [("draft.md", Level.LEFT)]


def test_redirects_of_the_space_are_carried(tmp_path: Path) -> None:
    files = {
        "README.md": "# T",
        "a/b.md": "# B",
        ".gitbook.yaml": "redirects:\n  old/x: a/b.md#h\n  y: gone.md\n  z//q: a/b.md\n",
    }
    made = convert(space(tmp_path / "in", files), tmp_path / "out")
    assert (tmp_path / "out/docs/_redirects").read_text() == "/old/x /a/b/#h 301\n"
    assert [note.file for note in made.notes.of(Level.WORK)] == [".gitbook.yaml"] * 2


def test_a_space_below_a_folder_of_its_repository(tmp_path: Path) -> None:
    files = {
        ".gitbook.yaml": "root: ./docs/\nstructure: {readme: home.md, summary: toc.md}\n",
        "docs/toc.md": "* [T](home.md)\n* [B](b.md)\n",
        "docs/home.md": "# T\n\n[b](b.md) ![x](../pictures/x.png)\n",
        "docs/b.md": "# B\n",
        "pictures/x.png": b"p",
    }
    convert(space(tmp_path / "in", files), tmp_path / "out")
    assert "[b](b.md) ![x](media/x.png)" in (tmp_path / "out/docs/README.md").read_text()


REFUSED = {
    "no folder": ({}, "not a folder"),
    "no pages": ({"x.txt": "a", "SUMMARY.md": "nothing"}, "names no page"),
    "a root elsewhere": ({"README.md": "# T", ".gitbook.yaml": "root: ../\n"}, "root: '../' is not a folder of it"),
    "settings that are a list": ({"README.md": "# T", ".gitbook.yaml": "- a\n"}, "holds no settings"),
    "settings that are not YAML": ({"README.md": "# T", ".gitbook.yaml": "a: [\n"}, "not YAML"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_a_space_is_refused_with_a_sentence(tmp_path: Path, name: str) -> None:
    files, sentence = REFUSED[name]
    folder = space(tmp_path / "in", files) if files else tmp_path / "nowhere"
    with pytest.raises(ConfigError) as refused:
        convert(folder, tmp_path / "out")
    assert sentence in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    folder = space(tmp_path / "in", {"README.md": "# T\n"})
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").write_text("mine")
    with pytest.raises(ConfigError, match="not empty"):
        convert(folder, tmp_path / "out")
    with pytest.raises(ConfigError, match="inside"):
        convert(folder, folder / "new")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_a_quote_inside_a_value_belongs_to_it() -> None:
    assert attributes('title="Say "hi"" a=1') == ({"title": 'Say "hi"', "a": "1"}, "")
    assert tag(' include "x y.md" ')["rest"] == '"x y.md"'
    assert tag(" endapi-method ") == {"name": "api-method", "closes": True, "attrs": {}, "rest": ""}


def test_text_of_a_page_cannot_steer_a_terminal(tmp_path: Path) -> None:
    _, report = one(tmp_path, "{% foo\x1b[2J\u202e %}\n\n[a](\u202e\x1b.md)")
    assert report.notes.all
    assert not any(char in str(note) for note in report.notes.all for char in "\x1b\u202e")


def test_the_report_fits_a_screen_and_has_every_place(tmp_path: Path) -> None:
    source = (
        "\n\n".join(f"[a](gone-{number}.md)" for number in range(100))
        + "\n\n"
        + "\n\n".join(f"{{% b{n} %}}" for n in range(40))
    )
    _, report = one(tmp_path, source)
    screen = list(report.screen())
    assert len(screen) <= 24
    assert "by hand: 140" in screen
    assert "   100 links that lead nowhere, first in README.md:3".strip() in [line.strip() for line in screen]
    assert report.document().count("\n* `README.md:") == 140
    assert len(report.plain()["notes"]) == 140
    low, high = report.hours
    assert (low, high) == (14.0, 42.0)


def test_the_report_gives_the_assessment_its_hours(tmp_path: Path) -> None:
    """What the import prints is what the inventory takes, in place of a guess from the number of blocks."""
    _, made = one(tmp_path, "[a](gone.md)\n\n" + HINT + "x")
    line = list(made.screen())[-1]
    found = Drivers.model_validate(yaml.safe_load(line)["drivers"])
    assert found.imported is not None
    assert (found.pages, found.imported.places) == (1, 2)
    assert (found.imported.low_hours, found.imported.high_hours) == made.hours == (0.1, 0.4)
    with pytest.raises(ValueError, match="copy what the import prints"):
        Drivers.model_validate({"imported": {"low_hours": 2, "high_hours": 1, "places": 0}})


def test_blocks_nested_without_end_are_cut_off_with_a_note(tmp_path: Path) -> None:
    made, report = one(tmp_path, HINT * 3000 + "a\n\n" + "> " * 500 + "b\n\n" + "* " * 500 + "c")
    assert "a\n" in made
    assert any(note.topic == "deep nesting" for note in report.notes.all)


def test_files_that_differ_by_case_alone_are_named(tmp_path: Path) -> None:
    made = convert(
        space(tmp_path / "in", {"README.md": "# T\n", "a.md": "# A\n", "A.md": "# Other\n"}), tmp_path / "out"
    )
    assert [str(note) for note in made.notes.of(Level.WORK)] == [
        "a.md: its name differs from A.md by upper and lower case alone; rename one of the two"
    ]


STYLES = {
    "color:red": True,
    "color: rgb(1, 2, 3) ; background-color:#fff; ": True,
    "width:1px": False,
    "color:red;width:1px": False,
    "color:url(//a.example)": False,
    "color:a " * 28 + "!": False,
    "color:" + " " * 100_000 + "!": False,
    "color:a;" * 50_000 + "!": False,
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("style", STYLES)
def test_a_style_of_colours_alone_is_kept(tmp_path: Path, style: str) -> None:
    kept = f' style="{style}"' if STYLES[style] else ""
    assert one(tmp_path, f'<mark style="{style}">x</mark>')[0] == f"<mark{kept}>x</mark>\n"


@pytest.mark.timeout(30)
@pytest.mark.parametrize("piece", ["<a ", "<!--", '<a x="', "<details>", "<summary "])
def test_html_without_end_is_converted_in_one_pass(tmp_path: Path, piece: str) -> None:
    assert one(tmp_path, "<div>" + piece * 20_000)[1].notes is not None


@pytest.mark.parametrize("text", ["<![<![ x", "&#" + "1" * 5000 + ";"])
def test_html_that_the_library_cannot_read_is_converted(tmp_path: Path, text: str) -> None:
    assert "words" in one(tmp_path, f"<div>words {text}</div>")[0]
