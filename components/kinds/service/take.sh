# shellcheck shell=sh disable=SC2006
# What the container of an application with secrets runs on Akash: it gets them from the web server, and starts the
# application with them as variables; again each time that the container starts, or that others were handed over.
#
# Called as `sh -c TAKE take NAMES COMMAND…`; NAMES are separated by spaces. UNMOOR_SECRETS is the web server's HOST:PORT.
# The image is the application's own, so sh, and wget or curl, are all that is asked of it. Values stay in the shell: none
# is ever an argument. Kubernetes expands what looks like a variable in parentheses, so commands are in backquotes.
names=$1
shift
log() { echo "unmoor: $*" >&2; }
if command -v wget > /dev/null; then
  get() { wget -q -T 5 -O - "http://$UNMOOR_SECRETS/$1" 2> /dev/null; }
elif command -v curl > /dev/null; then
  get() { curl -s -f -m 5 "http://$UNMOOR_SECRETS/$1"; }
else
  log "this image has neither wget nor curl, so the application cannot get its secrets"
  sleep 60
  exit 1
fi
# A set is named by its hash, so that old and new values are never mixed.
newest() {
  set_=`get taken` || return 1
  case "$set_" in '' | *[!0-9a-f]*) return 1 ;; esac
}
take() {
  newest || return 1
  for name in $names; do
    # The full stop keeps the newlines at the end of a value.
    value=`get "$set_/$name" && printf .` || return 1
    export "$name=${value%.}"
  done
  value='' has=$set_
}
stop() {
  kill -TERM "$child" 2> /dev/null
  wait "$child"
  exit
}
has='' child=''
trap 'exit 143' TERM INT
log "waiting for the secrets"
until take; do sleep 1; done
trap stop TERM INT
while :; do
  "$@" &
  child=$!
  while kill -0 "$child" 2> /dev/null; do
    sleep 2 &
    wait $!
    if newest && [ "$set_" != "$has" ] && take; then
      log "the secrets have changed: the application starts anew"
      kill -TERM "$child" 2> /dev/null
      wait "$child"
      continue 2
    fi
  done
  wait "$child"
  exit $?
done
