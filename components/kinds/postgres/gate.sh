# shellcheck shell=sh disable=SC2006
# Runs the application while the database of its site is the writer, and ends it when that ends.
#
# Called as `sh -c GATE gate COMMAND…`. UNMOOR_ROLE is HOST:PORT of the database's agent. An application that could reach
# no database would end again and again, and an Akash provider closes the lease of a container that does.
log() { echo "unmoor: $*" >&2; }
if command -v wget > /dev/null; then
  get() { wget -q -T 5 -O - "http://$UNMOOR_ROLE/role" 2> /dev/null; }
else
  get() { curl -s -f -m 5 "http://$UNMOOR_ROLE/role"; }
fi
writes() {
  case `get` in *'"role": "primary"'*) ;; *) return 1 ;; esac
}
rest() {
  sleep "$1" &
  wait $!
}
stop() {
  if [ -n "$child" ]; then
    kill -TERM "$child" 2> /dev/null
    wait "$child"
  fi
  exit
}
child=''
trap stop TERM INT
while :; do
  log "waiting until the database of this site is the writer"
  until writes; do rest 1; done
  log "the database of this site is the writer: starting the application"
  "$@" &
  child=$! missed=0
  while kill -0 "$child" 2> /dev/null; do
    rest 1
    if writes; then missed=0; else missed=$((missed + 1)); fi
    # One look that fails may be a busy machine; PostgreSQL itself has ended every session by then.
    if [ "$missed" -ge 3 ]; then
      log "the database of this site is no longer the writer: ending the application"
      kill -TERM "$child" 2> /dev/null
      break
    fi
  done
  wait "$child"
  code=$? child=''
  [ "$missed" -gt 0 ] || exit "$code"
done
