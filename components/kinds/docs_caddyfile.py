"""The Caddyfile of a site in a container: one text for every site, by scheme; what differs is environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import content, front

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Asked over HTTP from inside only: is our own HTTPS valid for browsers, as seen by a TLS client that validates?
OWN_CERTIFICATE = "/.well-known/unmoor/certificate"
#: Where errors of asking for certificates are written, one JSON object a line.
AUTHORITY_LOG = "authority.log"


def caddyfile(scheme: str) -> str:
    """Return the Caddyfile for a scheme; what differs between sites are environment placeholders."""
    if scheme == "https":
        sites = _block(
            "http://",
            *_health("http"),
            *_LEADS_HERE,
            *_CHALLENGE,
            *_SELF_CHECK,
            "handle {",
            "  @ours host {$HOST} {$DIRECT}",
            "  redir @ours https://{host}{uri} 308",
            "  redir https://{$HOST}{uri} 308",
            "}",
        ) + _block(
            "{$NAMES}",
            *_health("https"),
            f"handle {OWN_CERTIFICATE} {{",
            "  respond 204",
            "}",
            *_content("https"),
        )
    else:
        sites = _block("http://", *_health("http"), *_content("http"))
    return _block("", *_options(scheme)) + sites


def _options(scheme: str) -> Iterable[str]:
    yield from (
        "admin off",
        "persist_config off",
        "http_port {$HTTP_PORT:80}",
        "https_port {$HTTPS_PORT:443}",
        "default_bind {$BIND:0.0.0.0}",
        "grace_period 10s",
        "servers {",
        # HTTP/3 would need a UDP port, which is not leased.
        "  protocols h1 h2",
        "  max_header_size 16KB",
        "  timeouts {",
        "    read_header 10s",
        "    read_body 10s",
        "    idle 2m",
        "  }",
        "}",
        # Visitors' addresses and what their browsers say of them are in no log, errors included.
        "log {",
        "  format filter {",
        "    wrap json",
        *(f"    {field} delete" for field in _PRIVATE),
        "  }",
        "}",
    )
    if scheme == "https":
        yield from (
            "auto_https disable_redirects",
            "cert_issuer acme {",
            "  dir {$ACME_CA:https://acme-v02.api.letsencrypt.org/directory}",
            # That challenge is answered on port 443, which at a standby's name is the primary's.
            "  disable_tlsalpn_challenge",
            "  {$ACME_TRUST}",
            "}",
            # What the authority said last, for the script to repeat.
            "log authority {",
            f"  output file {AUTHORITY_LOG} {{",
            "    roll_size 1MiB",
            "    roll_keep 1",
            "  }",
            "  include tls.obtain tls.renew",
            "  level ERROR",
            "}",
        )
    else:
        yield "auto_https off"


_PRIVATE = (
    *("request>remote_ip", "request>remote_port", "request>client_ip", "request>headers", "resp_headers"),
    # The challenge solver's own words for whoever asks it.
    *("remote_addr", "user_agent"),
)


def _health(scheme: str) -> Iterable[str]:
    """Answer the version, or 503 and the reason; the same on every port, so that a plain HTTP check sees it all."""
    return (
        "log",
        f"log_skip {front.HEALTH_PATH}",
        *_security(scheme),
        f"handle {front.HEALTH_PATH} {{",
        f'  header Cache-Control "{content.ALWAYS_FRESH}"',
        f'  header Content-Type "{content.HEALTH_TYPE}"',
        "  @trouble file {",
        "    root health",
        "    try_files /trouble",
        "  }",
        "  handle @trouble {",
        "    rewrite * /trouble",
        "    file_server {",
        "      root health",
        "      status 503",
        "    }",
        "  }",
        '  respond "{$VERSION}"',
        "}",
    )


def _security(scheme: str) -> Iterable[str]:
    return (
        "header {",
        *(f'  {name} "{value}"' for name, value in content.SECURITY_HEADERS[scheme].items()),
        "  -Server",
        "}",
    )


#: Asked by the script under each of its names: would an authority that looks for a challenge there come to this site?
_LEADS_HERE = (
    f"handle {front.CHALLENGE_PATH.removesuffix('*')}{{$TOKEN}} {{",
    '  respond "{$TOKEN}"',
    "}",
)

#: What this site's own challenge solver does not know, another may: names may lead here and mean it. First whoever has
#: this site's own name by now (its successor on a new lease), then the other site. The request goes there under that
#: name, because a proxy on the way would follow any other; there it is asked once more with the name that the authority
#: used, since tokens are found by name. It is not passed on again.
_CHALLENGE = (
    f"handle {front.CHALLENGE_PATH} {{",
    "  @passed header Unmoor-Host *",
    "  handle @passed {",
    "    reverse_proxy 127.0.0.1:{$HTTP_PORT:80} {",
    "      header_up Host {http.request.header.Unmoor-Host}",
    "      header_up -Unmoor-Host",
    "      header_up Unmoor-Asked yes",
    "    }",
    "  }",
    "  @asked header Unmoor-Asked *",
    "  handle @asked {",
    "    respond 404",
    "  }",
    "  handle {",
    "    reverse_proxy {$DIRECT}:80 {$PEER}:80 {",
    "      lb_policy first",
    "      lb_retries 1",
    "      fail_duration 2s",
    "      header_up Host {http.reverse_proxy.upstream.host}",
    "      header_up Unmoor-Host {host}",
    "      @unknown status 4xx 5xx",
    "      handle_response @unknown {",
    "        reverse_proxy {$PEER}:80 {",
    "          header_up Host {$PEER}",
    "          header_up Unmoor-Host {host}",
    "        }",
    "      }",
    "    }",
    "  }",
    "}",
)

_SELF_CHECK = (
    f"handle {OWN_CERTIFICATE} {{",
    "  @outside not remote_ip 127.0.0.1",
    "  respond @outside 404",
    "  reverse_proxy https://127.0.0.1:{$HTTPS_PORT:443} {",
    "    header_up Host {$HOST}",
    "    transport http {",
    "      tls_server_name {$HOST}",
    # A kept connection would not show a certificate that has ended since.
    "      keepalive off",
    "    }",
    "  }",
    "}",
)


def _content(scheme: str) -> Iterable[str]:
    """Serve the unpacked bundle by the rules of content.py; 503 before there is one."""
    return (
        "handle {",
        "  @absent not file {",
        "    root .",
        "    try_files /site/",
        "  }",
        "  handle @absent {",
        '    header Cache-Control "no-store"',
        '    header Retry-After "10"',
        '    respond "the content is not here yet" 503',
        "  }",
        "  handle {",
        "    root site",
        "    encode zstd gzip",
        "    request_body {",
        "      max_size 16KB",
        "    }",
        "    route {",
        *(f"      {line}" for line in _rules()),
        # Files in a bundle have no times, so the version is what tells two of them apart.
        '      header ETag `"{$VERSION}"`',
        "      file_server",
        "    }",
        "  }",
        "}",
        "handle_errors {",
        *(f"  {line}" for line in _security(scheme)),
        "  header -ETag",
        f'  header Cache-Control "{content.ALWAYS_FRESH}"',
        "  @page {",
        "    expression `{err.status_code} == 404`",
        "    file {",
        "      root site",
        f"      try_files /{content.ERROR_PAGE}",
        "    }",
        "  }",
        "  handle @page {",
        "    root site",
        f"    rewrite * /{content.ERROR_PAGE}",
        f'    header Content-Type "{content.TYPES[".html"]}"',
        "    encode zstd gzip",
        "    file_server",
        "  }",
        '  header Content-Type "text/plain; charset=utf-8"',
        '  respond "{err.status_code} {err.status_text}" {err.status_code}',
        "}",
    )


def _rules() -> Iterable[str]:
    """Write the tables of content types and cache rules as header directives; a later one counts."""
    suffixes: dict[str, list[str]] = {}
    for suffix, kind in content.TYPES.items():
        suffixes.setdefault(kind, []).append(f"*{suffix}")
    for number, (kind, globs) in enumerate(suffixes.items()):
        yield f"@type{number} path {' '.join(globs)}"
        yield f'header @type{number} Content-Type "{kind}"'
    yield f'header Cache-Control "{content.SHORT}"'
    yield "@hashed {"
    yield f"  path_regexp `{content.HASHED}`"
    yield from (f"  not path_regexp `{pattern}`" for pattern in content.NOT_HASHED)
    yield "}"
    yield f'header @hashed Cache-Control "{content.FOR_EVER}"'
    yield f"@page path */ {' '.join(f'*{suffix}' for suffix in content.PAGES)}"
    yield f'header @page Cache-Control "{content.ALWAYS_FRESH}"'


def _block(name: str, *lines: str) -> str:
    return "\n".join([f"{name} {{".lstrip(), *(f"  {line}" for line in lines), "}", ""])
