# shellcheck shell=sh disable=SC2006
# Functions of front.sh: when to ask for certificates, and what is wrong with them.
certificates() { ls "$XDG_DATA_HOME"/caddy/certificates/*/"$1"/"$1".crt 2>/dev/null; }
leads_here() { [ "`wget -q -T 3 -O - "http://$1/.well-known/acme-challenge/$token" 2>/dev/null`" = "$token" ]; }
# How a name stands ("seen" to lead here, "hoped" to, or nothing), from how it stood before.
standing() {
  if [ "$2" = seen ]; then echo seen
  elif certificates "$1" >/dev/null; then echo "$2"
  elif leads_here "$1"; then echo seen
  elif [ -n "$2" ] || [ "`now`" -ge "$patience" ]; then echo hoped
  fi
}
at_start() { ! certificates "$1" >/dev/null || echo seen; }
# How a name stood at the last look.
stood() {
  case "$stands " in
    *" $1=seen "*) echo seen ;;
    *" $1=hoped "*) echo hoped ;;
  esac
}
# A failed try costs a minute, and soon an hour, so a certificate is asked for once the issuer's question would come
# here: through DNS, and through the other site where that one answers the name. After a minute it is asked for all the
# same: a resolver may remember for longer than the issuer that a name did not exist, and a network may not lead back to
# itself. Called with what looks how a name stands.
ask() {
  [ -n "${HOST:-}" ] || return
  names='' looked=''
  for each in $DIRECT $HOST $OTHERS; do
    was=`stood "$each"`
    is=`"$1" "$each" "$was"`
    looked="$looked $each=$is"
    case "$names," in *"\"$each\","*) is='' ;; esac
    [ -z "$is" ] || names=$names${names:+,}\"$each\"
  done
  stands=$looked
}
# The two dates of a certificate (RFC 5280 4.1.2.5) as YYMMDDHHMMSS: tag 17, length 0d, thirteen characters.
dates_of() {
  sed '/END/q' "$1" | sed '/---/d' | base64 -d | od -An -v -tx1 | tr -d ' \n' |
    grep -Eo '170d(3[0-9]){12}5a' | sed -n '1,2s/^170d\(.*\)5a$/\1/p' | sed 's/3\(.\)/\1/g'
}
read_out() { echo "$1" | sed 's/\(..\)\(..\)\(..\)\(..\)\(..\).*/20\1-\2-\3 \4:\5 UTC/'; }
# What the issuer answered last about a name, if it refused it.
refusal() {
  line=`grep -F "\"$1\"" issuer.log 2>/dev/null | tail -n 1`
  case "$line" in
    '') ;;
    *acme:error:rateLimited*) echo "; the authority issues no more of them for now (rate limit)" ;;
    *acme:error:caa*) echo "; a CAA record of the zone forbids the authority to issue it" ;;
    *acme:error:*)
      echo "$line" | sed 's/.*acme:error:\([a-zA-Z]*\) - \([^"]*\).*/; the authority refuses: \1, \2/' ;;
    *) echo "; the authority $ACME_CA does not answer" ;;
  esac
}
# Print what a browser would hold against this site; nothing when it is well.
certificate() {
  [ -n "${HOST:-}" ] || return
  for each in $HOST $OTHERS; do
    why=`certificate_of "$each"`
    [ -z "$why" ] || { echo "$why"; return; }
  done
  if ! wget -q -T 10 -O /dev/null "http://127.0.0.1:$HTTP_PORT/.well-known/unmoor/certificate" 2>/dev/null; then
    echo "the certificate for $HOST is not valid for browsers"
  fi
}
# A certificate that ends within a week is a fault: by then its renewal has failed for three weeks. One of OTHERS is
# missed once the name leads here, or to the other site: before, it has no visitors.
certificate_of() {
  of=$1 from=0 last=0
  for file in `certificates "$of"`; do
    # shellcheck disable=SC2046 # two words
    set -- `dates_of "$file"`
    [ "${2:-0}" -le "$last" ] || from=$1 last=$2
  done
  today=`date -u +%y%m%d%H%M%S`
  soon=`date +%s`
  soon=`date -u -d "@$((soon + 7 * 86400))" +%y%m%d%H%M%S`
  clock="by the clock of its machine it is `read_out "$today"`"
  if [ "$last" = 0 ] && [ "`stood "$of"`" != seen ]; then
    [ "$of" != "$HOST" ] ||
      echo "there is no certificate for $of yet: its challenges do not come here; the site that answers $of must" \
        "pass /.well-known/acme-challenge/* on to $DIRECT"
  elif [ "$last" = 0 ]; then echo "there is no certificate for $of yet`refusal "$of"`"
  elif [ "$from" -gt "$today" ]; then
    echo "the certificate for $of is valid from `read_out "$from"` on, and $clock: one of the two is wrong"
  elif [ "$last" -le "$soon" ]; then
    echo "the certificate for $of ends within 7 days and was not renewed`refusal "$of"`; $clock"
  fi
}
