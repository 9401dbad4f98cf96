"""The shell script of a container: starts the web server, gets ready what is behind it, and says what is wrong.

The web server starts first and answers 503, with the reason, until all is well: the probe can repeat a reason,
certificates can be had meanwhile, and the container never ends while a store may come back (Akash closes the lease of
a container that keeps ending).

Tools: BusyBox and Caddy only, as in the stock image. Kubernetes replaces `$$` and `$(NAME)` in a command, so the script
has neither.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .. import http as front
from . import config as configuration
from .config import AUTHORITY_LOG, OWN_CERTIFICATE

if TYPE_CHECKING:
    from .server import WebServer

#: Days before its end at which a certificate counts as trouble: renewal has failed for three weeks by then.
LAST_DAYS = 7
#: Seconds after which a certificate is asked for although the way to this site was not seen from inside: a resolver may
#: remember for longer than the authority that a name did not exist, and a network may not lead back to itself.
PATIENCE = 60


def of(server: WebServer) -> str:
    """Return the script (POSIX shell) of a web server."""
    secure = server.scheme == "https"
    written = f"cat > front.json <<'END'\n{json.dumps(configuration.of(server), indent=1)}\nEND\n"
    judge = f"behind() {{ {server.behind.judge()}; }}\n"
    names = _names() if secure else _NO_NAMES
    certificate = _certificate() if secure else "certificate() { :; }\n"
    return _START + written + names + _SERVE + server.behind.prepare() + judge + certificate + _KEEP_LOOKING


_START = """\
set -u
export HTTP_PORT="${HTTP_PORT:-80}" HTTPS_PORT="${HTTPS_PORT:-443}" BIND="${BIND:-0.0.0.0}"
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

rm -rf health
mkdir health
trouble "it has only just started"
"""

_NO_NAMES = """\
names=
ask() { :; }
"""


def _names() -> str:
    """Return which names there are to have certificates for, and when to ask.

    A failed try costs a minute, and soon an hour, so the authority is asked once its question for a challenge would
    come here: through DNS, and through the other site where that one answers the name.
    """
    challenge = front.CHALLENGE_PATH.removesuffix("*")
    return f"""\
certificates() {{ ls "${{XDG_DATA_HOME:-/data}}"/caddy/certificates/*/"$1"/"$1".crt 2>/dev/null; }}
leads_here() {{ [ "`wget -q -t 1 -T 3 -O - "http://$1{challenge}$token" 2>/dev/null`" = "$token" ]; }}
# How a name stands ("seen" to lead here, "hoped" to, or nothing), from how it stood before.
standing() {{
  if [ "$2" = seen ]; then echo seen
  elif certificates "$1" >/dev/null; then echo "$2"
  elif leads_here "$1"; then echo seen
  elif [ -n "$2" ] || [ `date +%s` -ge "$patience" ]; then echo hoped
  fi
}}
want() {{
  names=
  [ -z "$direct" ] || names="\\"$DIRECT\\""
  [ -z "$host" ] || names="${{names:+$names, }}\\"$HOST\\""
}}
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
export token=unmoor-`od -An -N16 -tx1 /dev/urandom | tr -d ' \\n'`
rm -f {AUTHORITY_LOG}
"""


_SERVE = """\
# Ports are numbers in there, and names come one by one; all else is read from the environment.
serve() {
  sed -e "s/\\"http_port\\": 80,/\\"http_port\\": $HTTP_PORT,/" \\
    -e "s/\\"https_port\\": 443,/\\"https_port\\": $HTTPS_PORT,/" \\
    -e "s/\\"automate\\": \\[\\]/\\"automate\\": [$names]/" front.json > caddy.json
  caddy run --config caddy.json & caddy=$!
}
serve
trap stop TERM INT
"""


def _certificate() -> str:
    """Return the function that prints what a browser would hold against this site; nothing when it is well."""
    return f"""\
# The two dates of a certificate (RFC 5280 4.1.2.5) as YYMMDDHHMMSS: tag 17, length 0d, thirteen characters.
dates_of() {{
  sed '/END/q' "$1" | sed '/---/d' | base64 -d | od -An -v -tx1 | tr -d ' \\n' |
    grep -Eo '170d(3[0-9]){{12}}5a' | sed -n '1,2s/^170d\\(.*\\)5a$/\\1/p' | sed 's/3\\(.\\)/\\1/g'
}}
read_out() {{ echo "$1" | sed 's/\\(..\\)\\(..\\)\\(..\\)\\(..\\)\\(..\\).*/20\\1-\\2-\\3 \\4:\\5 UTC/'; }}
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
certificate() {{
  since=0 last=0
  for file in `certificates "$HOST"`; do
    set -- `dates_of "$file"`
    [ "${{2:-0}}" -le "$last" ] || since=$1 last=$2
  done
  now=`date -u +%y%m%d%H%M%S`
  soon=`date +%s`
  soon=`date -u -d "@$((soon + {LAST_DAYS} * 86400))" +%y%m%d%H%M%S`
  clock="by the clock of its machine it is `read_out "$now"`"
  if [ "$last" = 0 ] && [ "$host" != seen ]; then
    echo "there is no certificate for $HOST yet: its challenges do not come here; the site that answers $HOST must" \\
      "pass {front.CHALLENGE_PATH} on to $DIRECT"
  elif [ "$last" = 0 ]; then echo "there is no certificate for $HOST yet`refusal "$HOST"`"
  elif [ "$since" -gt "$now" ]; then
    echo "the certificate for $HOST is valid from `read_out "$since"` on, and $clock: one of the two is wrong"
  elif [ "$last" -le "$soon" ]; then
    echo "the certificate for $HOST ends within {LAST_DAYS} days and was not renewed`refusal "$HOST"`; $clock"
  elif ! wget -q -t 1 -T 10 -O /dev/null "http://127.0.0.1:$HTTP_PORT{OWN_CERTIFICATE}" 2>/dev/null; then
    echo "the certificate for $HOST is not valid for browsers"
  fi
}}
"""


_KEEP_LOOKING = """\
while :; do
  alive
  ask
  serving= why=`behind`
  if [ -z "$why" ]; then
    [ -n "${served:-}" ] || say "serving version $VERSION"
    served=yes serving="
serving $VERSION"
    why=`certificate`
  fi
  if [ -n "$why" ]; then trouble "$why"; run sleep 1; else rm -f health/trouble; said=; run sleep 10; fi
done
"""
