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

from .. import front
from .docs_caddyfile import AUTHORITY_LOG, OWN_CERTIFICATE, caddyfile

#: Days before its end at which a certificate counts as trouble: renewal has failed for three weeks by then.
LAST_DAYS = 7
#: Seconds after which a certificate is asked for although the way to this site was not seen from inside: a resolver may
#: remember for longer than the authority that a name did not exist, and a network may not lead back to itself.
PATIENCE = 60


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
    if scheme == "https":
        return _START + _NAMES + _CONFIGURE + caddyfile(scheme) + _SERVE + _FETCH + _KEEP_CHECKING
    return _START + _CONFIGURE + caddyfile(scheme) + _SERVE + _FETCH + _JUST_WAIT


_START = """\
set -u
say() { echo "unmoor: $*" >&2; }
# While health/trouble exists, /healthz answers 503 and its text.
trouble() {
  [ "$*" = "${said:-}" ] || say "$*"
  said="$*"
  echo "$*${serving:-}" > health/trouble.new && mv health/trouble.new health/trouble
}
# Run something that a signal can interrupt.
run() { "$@" & child=$!; wait "$child"; code=$?; child=; return $code; }
stop() { kill -TERM "$caddy" ${child:-} 2>/dev/null; wait "$caddy"; exit 0; }
alive() { kill -0 "$caddy" 2>/dev/null || { say "caddy ended"; exit 1; }; }

ask() { :; }

rm -rf site fresh health bundle.tar
mkdir health
trouble "the content is not here yet"
"""

#: Which names there are to have certificates for, and when to ask. A failed try costs a minute, and soon an hour, so
#: the authority is asked once its question for a challenge would come here: through DNS, and through the other site
#: where that one answers the name.
_NAMES = f"""\
certificates() {{ ls "${{XDG_DATA_HOME:-/data}}"/caddy/certificates/*/"$1"/"$1".crt 2>/dev/null; }}
leads_here() {{
  [ "`wget -q -t 1 -T 3 -O - "http://$1{front.CHALLENGE_PATH.removesuffix("*")}$TOKEN" 2>/dev/null`" = "$TOKEN" ]
}}
# How a name stands ("seen" to lead here, "hoped" to, or nothing), from how it stood before.
standing() {{
  if [ "$2" = seen ]; then echo seen
  elif certificates "$1" >/dev/null; then echo "$2"
  elif leads_here "$1"; then echo seen
  elif [ -n "$2" ] || [ `date +%s` -ge "$patience" ]; then echo hoped
  fi
}}
want() {{ export NAMES="http://nobody.invalid${{direct:+, https://$DIRECT}}${{host:+, https://$HOST}}"; }}
ask() {{
  is=`standing "$DIRECT" "$direct"`/`standing "$HOST" "$host"`
  [ "$is" != "$direct/$host" ] || return 0
  direct=${{is%/*}} host=${{is#*/}}
  want
  kill -TERM "$caddy"
  wait "$caddy"
  serve
}}
direct= host= patience=$((`date +%s` + {PATIENCE}))
! certificates "$DIRECT" >/dev/null || direct=seen
! certificates "$HOST" >/dev/null || host=seen
want
export ACME_TRUST="${{ACME_CA_ROOT:+trusted_roots $ACME_CA_ROOT}}"
export TOKEN=unmoor-`od -An -N16 -tx1 /dev/urandom | tr -d ' \\n'`
rm -f {AUTHORITY_LOG}
"""

_CONFIGURE = """\
cat > Caddyfile <<'END'
"""

_SERVE = """\
END
serve() { caddy run --config Caddyfile --adapter caddyfile & caddy=$!; }
serve
trap stop TERM INT
"""

_FETCH = """\

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
  ask
  trouble "no store gives the content; trying again"
  run sleep $pause
  [ $pause -ge 30 ] || pause=$((pause * 2))
done
say "serving version $VERSION"
serving="
serving $VERSION"
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
# What the authority said last of a name, if it refused it.
refusal() {{
  line=`grep -F "\\"$1\\"" {AUTHORITY_LOG} 2>/dev/null | sed -n '$p'`
  case "$line" in
    '') ;;
    *acme:error:rateLimited*) echo "; the authority issues no more of them for now (rate limit)" ;;
    *acme:error:caa*) echo "; a CAA record of the zone forbids the authority to issue it" ;;
    *acme:error:*)
      echo "$line" | sed 's/.*acme:error:\\([a-zA-Z]*\\) - \\([^"]*\\).*/; the authority refuses: \\1, \\2/' ;;
    *) echo "; the authority $ACME_CA does not answer" ;;
  esac
}}
# What a browser would hold against this site; nothing when it is well.
against() {{
  last=0
  for file in `certificates "$HOST"`; do
    this=`end_of "$file"`
    [ "${{this:-0}}" -le "$last" ] || last=$this
  done
  soon=`date +%s`
  soon=`date -u -d "@$((soon + {LAST_DAYS} * 86400))" +%y%m%d%H%M%S`
  if [ "$last" = 0 ] && [ "$host" != seen ]; then
    echo "there is no certificate for $HOST yet: its challenges do not come here; the site that answers $HOST must" \\
      "pass {front.CHALLENGE_PATH} on to $DIRECT"
  elif [ "$last" = 0 ]; then echo "there is no certificate for $HOST yet`refusal "$HOST"`"
  elif [ "$last" -le "$soon" ]; then
    echo "the certificate for $HOST ends within {LAST_DAYS} days and was not renewed`refusal "$HOST"`"
  elif ! wget -q -t 1 -T 10 -O /dev/null "http://127.0.0.1:${{HTTP_PORT:-80}}{OWN_CERTIFICATE}" 2>/dev/null; then
    echo "the certificate for $HOST is not valid for browsers"
  fi
}}
while :; do
  alive
  ask
  against > health/against
  read -r why < health/against || why=
  if [ -n "$why" ]; then trouble "$why"; run sleep 1; else rm -f health/trouble; said=; run sleep 10; fi
done
"""
