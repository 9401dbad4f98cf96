# shellcheck shell=sh disable=SC2006
# Functions of front.sh: secrets of the application, which an update hands over and which the application gets from here.
#
# Caddy writes the body of what the operator sends into the file `inbox`, as a line of a log. Its lines are NAME=BASE64, and
# `sha256 HEX` of those before it. What arrived whole lies in a folder of that name on the volume, so that the application
# never gets some old and some new values; the file `taken` names the folder. `asked` is the log of the application's asking.
#
# `printf` and `read` are the shell's own: no value is ever an argument of a process.
take_secrets() {
  [ -s inbox ] || return 0
  line=`tail -n 1 inbox`
  : > inbox
  case "$line" in *'"values":"'*'"'*) ;; *) return 0 ;; esac
  line=${line#*'"values":"'}
  (umask 077 && unpack_secrets "${line%%'"'*}") || log "what was handed over did not arrive whole, and is asked for again"
  line=''
}
unpack_secrets() {
  new=$SECRETS/new
  rm -rf "$new" && mkdir "$new" || return 1
  printf '%b' "$1" > "$new/all"
  sed '$d' "$new/all" > "$new/lines"
  sum=`sha256sum < "$new/lines"`
  sum=${sum%% *}
  [ "`tail -n 1 "$new/all"`" = "sha256 $sum" ] || { rm -rf "$new"; return 1; }
  while IFS= read -r entry; do
    name=${entry%%=*}
    case "$name" in '' | *[!A-Z0-9_]*) continue ;; esac
    printf '%s' "${entry#*=}" | base64 -d > "$new/$name" || return 1
  done < "$new/lines"
  rm "$new/all" "$new/lines"
  rm -rf "${SECRETS:?}/$sum"
  mv "$new" "$SECRETS/$sum" && printf '%s' "$sum" > "$SECRETS/taken.new" && mv "$SECRETS/taken.new" "$SECRETS/taken" || return 1
  sync
  for old in "$SECRETS"/*/; do
    [ "$old" = "$SECRETS/$sum/" ] || rm -rf "$old"
  done
  log "took the application's secrets"
}
# Wait some seconds, and take what is handed over meanwhile.
rest() {
  [ -n "${OPERATOR:-}" ] || { run sleep "$1"; return; }
  seconds=$1
  while [ "$seconds" -gt 0 ]; do
    take_secrets
    run sleep 1
    seconds=$((seconds - 1))
  done
}
handed_over() { [ -z "${OPERATOR:-}" ] || [ -e "$SECRETS/taken" ]; }
asked() { [ -z "${OPERATOR:-}" ] || [ -s "$SECRETS/asked" ]; }
