"""What the Akash container of the docs kind runs: a shell script and a Caddyfile, the same text for every site.

The web server starts first and answers 503, with the reason, until the content is there: the probe can repeat a reason,
certificates can be had meanwhile, and the container never ends while a store may come back (Akash closes the lease of
a container that keeps ending). Nothing but a bundle whose SHA-256 is VERSION is ever served.

Tools: BusyBox and Caddy only, as in the stock image. Kubernetes replaces `$$` and `$(NAME)` in a command, so the script
has neither.
"""

from __future__ import annotations

import functools
from typing import TypedDict

from .docs_caddyfile import OWN_CERTIFICATE, caddyfile

#: Days before its end at which a certificate counts as trouble: renewal has failed for three weeks by then.
LAST_DAYS = 7


class Command(TypedDict):
    """The two properties of an SDL service that say what runs."""

    command: list[str]
    args: list[str]


@functools.cache
def command(scheme: str) -> Command:
    """Return what the SDL service runs. Everything that differs between sites is environment.

    VERSION     the SHA-256 of the bundle to serve
    BUNDLES     addresses of the bundle, separated by spaces, tried in turn until one gives it
    HOST        the public host; DIRECT this site's own name; PEER the other site's own name (only for https)
    ACME_CA     the authority's directory (only for https); ACME_CA_ROOT a file with its root, if it is a private one
    HTTP_PORT, HTTPS_PORT, BIND   where to listen; 80, 443 and every address unless set
    """
    return {"command": ["sh", "-c"], "args": [script(scheme)]}


def script(scheme: str) -> str:
    """Return the shell script (POSIX) for a scheme."""
    after = _KEEP_CHECKING if scheme == "https" else _JUST_WAIT
    return _START + caddyfile(scheme) + _FETCH + after


_START = """\
set -u
say() { echo "unmoor: $*" >&2; }
# While health/trouble exists, /healthz answers 503 and its text.
trouble() {
  [ "$*" = "${said:-}" ] || say "$*"
  said="$*"
  echo "$*" > health/trouble.new && mv health/trouble.new health/trouble
}
# Run something that a signal can interrupt.
run() { "$@" & child=$!; wait "$child"; code=$?; child=; return $code; }
stop() { kill -TERM "$caddy" ${child:-} 2>/dev/null; wait "$caddy"; exit 0; }
alive() { kill -0 "$caddy" 2>/dev/null || { say "caddy ended"; exit 1; }; }

rm -rf site fresh health bundle.tar
mkdir health
trouble "the content is not here yet"
export ACME_TRUST="${ACME_CA_ROOT:+trusted_roots $ACME_CA_ROOT}"
cat > Caddyfile <<'END'
"""

_FETCH = """\
END
caddy run --config Caddyfile --adapter caddyfile &
caddy=$!
trap stop TERM INT

fetch() {
  for address in $BUNDLES; do
    run wget -q -t 1 -T 20 -O bundle.tar "$address"
    if echo "$VERSION  bundle.tar" | sha256sum -c >/dev/null 2>&1; then
      rm -rf fresh && mkdir fresh && tar -xf bundle.tar -C fresh && rm bundle.tar && mv fresh site && return 0
      trouble "the bundle cannot be unpacked; is the disk full?"
    else
      say "$address did not give version $VERSION"
    fi
  done
  return 1
}
pause=1
until fetch; do
  alive
  trouble "no store gives the content; trying again"
  run sleep $pause
  [ $pause -ge 30 ] || pause=$((pause * 2))
done
say "serving version $VERSION"
"""

_JUST_WAIT = """\
rm -f health/trouble
wait "$caddy"
"""

_KEEP_CHECKING = f"""\
# The end of a certificate is the second date in it (RFC 5280 4.1.2.5): tag 17, length 0d, YYMMDDHHMMSSZ.
end_of() {{
  sed '/END/q' "$1" | sed '/---/d' | base64 -d | od -An -v -tx1 | tr -d ' \\n' |
    grep -Eo '170d(3[0-9]){{12}}5a' | sed -n '2s/^170d\\(.*\\)5a$/\\1/p' | sed 's/3\\(.\\)/\\1/g'
}}
# What a browser would hold against this site; nothing when it is well.
against() {{
  last=0
  for file in "${{XDG_DATA_HOME:-/data}}"/caddy/certificates/*/"$HOST"/"$HOST".crt; do
    [ -f "$file" ] || continue
    this=`end_of "$file"`
    [ "${{this:-0}}" -le "$last" ] || last=$this
  done
  soon=`date +%s`
  soon=`date -u -d "@$((soon + {LAST_DAYS} * 86400))" +%y%m%d%H%M%S`
  if [ "$last" = 0 ]; then echo "there is no certificate for $HOST yet"
  elif [ "$last" -le "$soon" ]; then echo "the certificate for $HOST ends within {LAST_DAYS} days and was not renewed"
  elif ! wget -q -t 1 -T 10 -O /dev/null "http://127.0.0.1:${{HTTP_PORT:-80}}{OWN_CERTIFICATE}" 2>/dev/null; then
    echo "the certificate for $HOST is not valid for browsers"
  fi
}}
while :; do
  alive
  against > health/against
  read -r why < health/against || why=
  if [ -n "$why" ]; then trouble "$why"; run sleep 1; else rm -f health/trouble; said=; run sleep 10; fi
done
"""
