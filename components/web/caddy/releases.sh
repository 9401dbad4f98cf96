# shellcheck shell=sh disable=SC2006
# Functions of front.sh: fetch a release, check it, and let Caddy serve it.
#
# $CONTENT/live holds one empty file for the release that is served, named so that the newest comes first in the order
# of names: (10^12 - 1 - NUMBER)-NUMBER-SHA256-RULES. An empty file needs no space, and a name is never half written.
# $CONTENT/releases/SHA256 is a release, $CONTENT/kept/TIME holds files that an earlier one served under hashed names,
# and $CONTENT/rules/RULES the lines of Caddy's configuration for releases that have rules; RULES is 0 or their hash.
RECORD='unmoor1 [^ ]+ [1-9][0-9]{0,11} [0-9a-f]{64} [1-9][0-9]{0,11}'
LARGEST=68719476736
EMPTY=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855

# Set number, release and ruled (its rules) to what is served; -1 and nothing before there is anything.
at() {
  number=-1 release='' ruled=''
  for live in "$CONTENT"/live/*; do
    [ -e "$live" ] || return
    ruled=${live##*-} live=${live%-*}
    release=${live##*-} live=${live%-*}
    number=${live##*-}
    return
  done
}
# Print the record that a store holds, if it is one of this workload.
record() {
  timeout 30 wget -q -T 10 -O - "$1/$WORKLOAD/newest" 2>/dev/null | head -c 300 | grep -Ex "$RECORD" | head -n 1 |
    grep -F "unmoor1 $WORKLOAD "
}
# Set agreed to the newest record that the stores of two vendors hold, and note to what hinders agreement.
hear() {
  records='' note=''
  for store in $STORES; do
    if line=`record "${store#*=}"`; then records="$records${store%%=*} $line
"
    else note="${note:+$note, }${store#*=} gives no record"
    fi
  done
  agreed=`printf '%s' "$records" | sort -u | cut -d ' ' -f 2- | sort | uniq -d | sort -n -k 3 | tail -n 1`
  [ -n "$note" ] || [ -n "$agreed" ] || note="the stores do not name the same release"
}
# Set next_number, next and bytes to the release to take, or next to nothing.
choose() {
  next='' agreed='' note=''
  if [ "$number" -lt "$NUMBER" ] || { [ "$number" = "$NUMBER" ] && [ "$release" != "$VERSION" ]; }; then
    # shellcheck disable=SC2153 # the document's
    next_number=$NUMBER next=$VERSION bytes=$BYTES
  fi
  [ "$NUMBER" != 0 ] || return
  hear
  [ -n "$agreed" ] || return
  # shellcheck disable=SC2086 # the words of a record
  set -- $agreed
  if [ "$3" -gt "$number" ] && [ "$3" -gt "$NUMBER" ]; then
    # When nothing is served, the document's release is tried in turn with one that no store gives.
    [ -z "$release" ] && [ "$failed" = "$4" ] || next_number=$3 next=$4 bytes=$5
  elif [ "$3" -lt "$number" ] && [ "$4" != "$release" ]; then
    note="the stores name release number $3, which is older than the one that is served, $number"
  fi
}
# Write behind the id under /healthz what keeps a newer release away, and since when.
remark() {
  [ "$1" != "$noted" ] || return
  noted=$1
  [ -z "$noted" ] || log "$noted"
  put note "${noted:+
$noted, since `date -u '+%Y-%m-%d %H:%M UTC'`; this is the last release that was agreed on}"
}
# Unpack a release as it comes, from the first store that gives it whole. What came is not served until its hash is
# right. The hash is of the first BYTES, in blocks of 64 KiB, so a download that has no end ends.
fetch() {
  came=''
  [ ! -d "$CONTENT/releases/$next" ] || return 0
  for old in "$CONTENT"/releases/*; do
    [ "${old##*/}" = "$release" ] || rm -rf "$old"
  done
  why="no store gives release $next"
  [ "$bytes" != 0 ] || bytes=$LARGEST
  for store in $STORES; do
    from="${store#*=}/$WORKLOAD/$next.tar"
    rm -rf "$CONTENT/new"
    mkdir "$CONTENT/new" || { why="$CONTENT cannot be written; is the disk full?"; return 1; }
    # tar stops at the mark of the end, and the rest has to be taken off the pipe.
    { tar -xf - -C "$CONTENT/new" 2>/dev/null; code=$?; cat >/dev/null; exit $code; } < bundle &
    unpack=$!
    sum=`timeout $((600 + bytes / 100000)) wget -q -T 20 -O - "$from" |
      dd bs=65536 count=$(((bytes + 65535) / 65536)) iflag=fullblock 2>/dev/null | tee bundle | sha256sum`
    wait $unpack
    code=$?
    [ "${sum%% *}" = $EMPTY ] || came=yes
    if [ "${sum%% *}" != "$next" ]; then log "$from did not give release $next"
    elif [ $code = 0 ] && mv "$CONTENT/new" "$CONTENT/releases/$next"; then return 0
    else
      why="release $next cannot be unpacked; is the disk full?"
      break
    fi
  done
  rm -rf "$CONTENT/new"
  return 1
}
# What was written is on the disk before the name that leads to it, in case the power fails.
flush() { sync -f "$CONTENT" 2>/dev/null || sync; }
# Print the lines X of all rules, for the configuration.
lines_of() {
  if [ "$1" = loaded ]; then
    printf '{"handle":[{"handler":"vars","loaded":"'
    for each in "$CONTENT"/rules/*; do printf '%s ' "${each##*/}"; done
    printf '"}]},'
  else
    for each in "$CONTENT"/rules/*; do
      [ ! -f "$each" ] || sed -n "/^$1 /{s/^..//;s/@/${each##*/}/;p;}" "$each"
    done
  fi
}
# Set rules to the hash of a release's rules, once Caddy has them next to those of the release that is served. Caddy loses
# a few of the requests that come while it reads its file again; content alone does not make it do that.
prepare_rules() {
  file=$CONTENT/releases/$next/.unmoor/front rules=0
  [ -s "$file" ] || return 0
  if printf '%s\n' "$shapes" | grep -Evxqf - "$file"; then
    why="release $next has rules that this container does not know; its document has to be renewed first"
    return 1
  fi
  rules=`sha256sum < "$file" | cut -c 1-16`
  [ ! -f "$CONTENT/rules/$rules" ] || return 0
  for old in "$CONTENT"/rules/*; do [ "${old##*/}" = "$ruled" ] || rm -f "$old"; done
  why="$CONTENT cannot be written; is the disk full?"
  cp "$file" "$CONTENT/new" || return 1
  mv "$CONTENT/new" "$CONTENT/rules/$rules" || return 1
  tries=0
  until wget -q -T 5 -O - "http://127.0.0.1:$HTTP_PORT/.well-known/unmoor/rules" 2>/dev/null | grep -Fqw "$rules"; do
    tries=$((tries + 1))
    if [ $tries = 60 ]; then
      rm -f "$CONTENT/rules/$rules"
      why="release $next has rules that Caddy does not take"
      return 1
    fi
    run sleep 1
  done
}
# Serve a release that is unpacked: the name of the new one is there before that of the old one goes.
swap() {
  prepare_rules || return 1
  live=$CONTENT/live/`printf '%012d' $((999999999999 - next_number))`-$next_number-$next-$rules
  keep_hashed
  flush
  touch "$live" || { why="$live cannot be written; is the disk full?"; return 1; }
  flush
  log "serving release $next, number $next_number"
  run sleep 1
  for old in "$CONTENT"/live/*; do [ "$old" = "$live" ] || rm "$old"; done
}
# Pages that are open go on asking for the old release's files under hashed names; they are kept for a day.
keep_hashed() {
  old=$CONTENT/releases/$release
  [ -n "$release" ] && [ "$release" != "$next" ] && [ -s "$old/.unmoor/hashed" ] || return
  kept=$CONTENT/kept/`now`
  mkdir -p "$kept"
  still=../$next/.unmoor/hashed
  [ -f "$old/$still" ] || still=/dev/null
  # shellcheck disable=SC2016 # the inner shell's
  (cd "$old" && awk 'FILENAME == ARGV[1] { still[$0]; next } !($0 in still)' "$still" .unmoor/hashed |
    tr '\n' '\0' | KEPT=$kept xargs -0 sh -c 'cp -fl --parents "$@" "$KEPT"' cp)
}
forget_hashed() {
  for kept in "$CONTENT"/kept/*; do
    [ -e "$kept" ] || return
    today=`now`
    if [ "${kept##*/}" -gt "$today" ]; then
      # The machine started anew, and its clock with it: the day begins again.
      [ -e "$CONTENT/kept/$today" ] || mv "$kept" "$CONTENT/kept/$today"
    elif [ "${kept##*/}" -le $((today - 86400)) ]; then rm -rf "$kept"
    fi
  done
}
# Drop what an earlier run left half done, and what the document does not allow: numbers below its own, and without
# records every release but its own.
tidy() {
  mkdir -p "$CONTENT/live" "$CONTENT/releases" "$CONTENT/kept" "$CONTENT/rules"
  rm -rf "$CONTENT/new"
  newest=''
  for live in "$CONTENT"/live/*; do
    [ -e "$live" ] || break
    of=${live%-*}
    is=${of##*-} of=${of%-*}
    [ "${live##*-}" = 0 ] || [ -f "$CONTENT/rules/${live##*-}" ] || is=lost
    if [ -n "$newest" ] || [ "${of##*-}" -lt "$NUMBER" ] || [ ! -d "$CONTENT/releases/$is" ] ||
      { [ "$NUMBER" = 0 ] && [ "$is" != "$VERSION" ]; }; then rm "$live"
    else newest=$is
    fi
  done
  # One that was not served may be there in part after a power failure.
  for old in "$CONTENT"/releases/*; do [ "${old##*/}" = "$newest" ] || rm -rf "$old"; done
}
# Lengthen the pause before the next try: to half a minute where no store answers, and to half an hour where a download
# was for nothing, since the stores' owner pays for it.
longer() {
  longest=30
  [ -z "$came" ] || longest=1800
  pause=$((pause * 2))
  [ $pause -le $longest ] || pause=$longest
}
keep_content() {
  failed='' came='' tried=-1 pause=1 again=0 noted=''
  while :; do
    forget_hashed
    at
    choose
    if [ -n "$next" ] && { [ "$next_number" -gt "$tried" ] || [ "`now`" -ge $again ]; }; then
      [ "$next_number" -le "$tried" ] || pause=1
      [ "$next_number" -le "$tried" ] || tried=$next_number
      if fetch && swap; then failed='' pause=1 again=0
      else
        failed=$next again=$((`now` + pause))
        log "$why; trying again in $pause s"
        put why "$why; trying again"
        longer
      fi
    fi
    at
    [ -z "$failed" ] || note="${note:+$note, }$why"
    remark "$note"
    if [ -n "$release" ]; then run sleep "$POLL"; else run sleep 1; fi
  done
}
