# shellcheck shell=sh disable=SC2006
# What the container of a site runs: Caddy, and the program that prepares what Caddy serves.
#
# Called as `sh -c FRONT front CONFIG SHAPES`. FRONT is this file with the functions of releases.sh and certificates.sh in
# it, CONFIG is Caddy's configuration as JSON, and SHAPES are patterns that each line of a release's rules has to match.
# Caddy starts first and answers 503 with the reason until all is well: the probe can repeat a reason, certificates can be
# had meanwhile, and the container does not end while a store may come back (Akash closes the lease of one that does).
#
# Environment; `=` gives the value of a variable that is not set:
#   HTTP_PORT=80 HTTPS_PORT=443 BIND=0.0.0.0  where to listen
#   XDG_DATA_HOME=/data  the volume, which holds certificates and releases
#   VERSION              what /healthz answers; of a folder it is the SHA-256 of the first release's bundle
#   HOST DIRECT ACME_CA  over HTTPS: the public name, the site's own name, the directory of the issuer
#   OTHERS=              over HTTPS: names whose visitors are led to HOST, separated by spaces
#   STORES               of a folder: VENDOR=URL for each store, separated by spaces
#   WORKLOAD             of a folder: the prefix of its keys in every store
#   BYTES=0              of a folder: the size of VERSION's bundle; 0 where it is not known
#   NUMBER=0             of a folder: the number of VERSION; 0 is for stores that hold no records
#   LEARNS               of a folder: names the variables above that records change; for the deployment, not read here
#   POLL=10              of a folder: seconds between two looks at the records
#   UPSTREAM HEALTH      of an application: HOST:PORT, and the path that it answers with 200 while it is well
#   MATCH                of an application: a text that this answer has to contain; any answer will do without it
#   OPERATOR             of an application with secrets: SHA-256 of the client certificate of who hands them over
#   SECRETS_PORT=8181    of an application with secrets: where it gets them, inside the deployment
#
# Tools: BusyBox and Caddy only, as in the stock image. Kubernetes replaces a dollar sign that is doubled and one before
# a name in parentheses, so commands are substituted with backquotes.
set -u
export HTTP_PORT="${HTTP_PORT:-80}" HTTPS_PORT="${HTTPS_PORT:-443}" BIND="${BIND:-0.0.0.0}"
export XDG_DATA_HOME="${XDG_DATA_HOME:-/data}"
export CONTENT="$XDG_DATA_HOME/unmoor"
export SECRETS="$CONTENT/secrets" SECRETS_PORT="${SECRETS_PORT:-8181}"
NUMBER=${NUMBER:-0} BYTES=${BYTES:-0} POLL=${POLL:-10} OTHERS=${OTHERS:-}
config=$1 shapes=$2
names='' caddy='' keeper='' child='' logged='' served=''

log() { echo "unmoor: $*" >&2; }
# Put text into a file of the folder health, which Caddy reads: the file is replaced and never written to.
put() {
  place=health/$1
  shift
  printf '%s\n' "$*" > "$place.new" && mv "$place.new" "$place"
}
# While health/fault exists, /healthz answers 503 and its text.
fault() {
  [ "$*" = "$logged" ] || log "$*"
  logged="$*"
  put fault "$*${served:+
serving $served}"
}
# Run something that a signal can interrupt.
run() {
  "$@" &
  child=$!
  wait "$child"
  code=$?
  child=''
  return $code
}
stop() {
  # shellcheck disable=SC2086 # an empty one must be no word
  kill -TERM "$caddy" $child $keeper 2>/dev/null
  wait "$caddy"
  exit 0
}
alive() {
  kill -0 "$caddy" 2>/dev/null || { log "caddy ended"; exit 1; }
  [ -z "$keeper" ] || kill -0 "$keeper" 2>/dev/null || { log "what keeps the content ended"; exit 1; }
}
# Print seconds by a clock that is never set: since the machine started, where the system shows that.
now() {
  { read -r seconds _ < /proc/uptime; } 2>/dev/null || seconds=`date +%s`
  echo "${seconds%%.*}"
}

# Caddy's configuration with what is known only here. Caddy looks every second whether its file has changed. At each mark
# `{"@id":"X"}` the lines X of all rules are put in (see releases.sh).
configure() {
  rest=$config
  {
    upto '"automate":[]' && printf '"automate":[%s]' "$names"
    upto '"http_port":80' && printf '"http_port":%s' "$HTTP_PORT"
    upto '"https_port":443' && printf '"https_port":%s' "$HTTPS_PORT"
    while upto '{"@id":"'; do
      lines_of "${rest%%\"*}"
      printf '{"@id":"'
    done
    printf '%s\n' "$rest"
  } > caddy.next && { cmp -s caddy.next caddy.json || mv caddy.next caddy.json; }
}
# Print the rest of the configuration up to a mark, and go on behind it.
upto() {
  case "$rest" in *"$1"*) ;; *) return 1 ;; esac
  printf '%s' "${rest%%"$1"*}"
  rest=${rest#*"$1"}
}

@FUNCTIONS@

# Print what is wrong behind the web server, or nothing.
behind() {
  if [ -n "${STORES:-}" ]; then
    [ -n "$release" ] || cat health/why
  elif ! handed_over; then
    echo "the application's secrets were not handed over yet: the update does that, and unmoor rotate does it again"
  elif ! wget -q -T 5 -O - "http://$UPSTREAM$HEALTH" > answer 2> refusal; then
    # BusyBox: `wget: server returned error: HTTP/1.1 404 Not Found`
    status=`sed -n 's|.*error: HTTP/[^ ]* \([0-9][0-9][0-9]\).*|\1|p' refusal`
    if [ -n "$status" ]; then echo "the application answers $status to $HEALTH"
    elif asked; then echo "the application does not answer $HEALTH at $UPSTREAM with 200"
    else echo "the application did not ask for its secrets: its image must have sh, and wget or curl"
    fi
  elif [ -n "${MATCH:-}" ] && ! grep -qF -e "$MATCH" answer; then
    echo "the application's answer to $HEALTH does not contain $MATCH"
  fi
}
start() {
  rm -rf health issuer.log inbox
  # What an earlier document kept here goes with it.
  if [ -n "${OPERATOR:-}" ]; then (umask 077 && mkdir -p "$SECRETS"); else rm -rf "$SECRETS"; fi
  mkdir health
  put note ''
  fault "it has only just started"
  token=unmoor-`od -An -N16 -tx1 /dev/urandom | tr -d ' \n'` stands='' patience=$((`now` + 60))
  export token
  ask at_start
  configure
  caddy run --config caddy.json --watch &
  caddy=$!
  trap stop TERM INT
  [ -n "${STORES:-}" ] || return
  put why "the content is not here yet"
  [ -p bundle ] || mkfifo bundle
  tidy
  keep_content &
  keeper=$!
}
start
while :; do
  alive
  ask standing
  configure
  [ -z "${STORES:-}" ] || at
  served='' why=`behind`
  if [ -z "$why" ]; then
    served=${release:-$VERSION}
    why=`certificate`
  fi
  if [ -n "$why" ]; then
    fault "$why"
    rest 1
  else
    rm -f health/fault
    logged=''
    rest 10
  fi
done
