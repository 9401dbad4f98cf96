"""The two CloudFront functions of a static site, as JavaScript for the runtime `cloudfront-js-2.0`. Pure.

The viewer-request function gives every address one spelling, so that a cache holds each file once. It refuses what
cannot be an address, and follows what no object can answer: rules with wildcards, the fallback, other hosts. The
viewer-response function turns an object's metadata into the status, Location and headers that its address answers;
CloudFront does not call it for answers of 400 and more ("Restrictions on all edge functions").

The code keeps to ECMAScript 5.1, which that runtime supports completely.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...errors import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNTIME = "cloudfront-js-2.0"
#: Bytes of one function ("Quotas on CloudFront Functions").
MOST_BYTES = 10 * 1024
#: Metadata of an object (as S3 calls it, without `x-amz-meta-`) that the viewer-response function reads.
STATUS, LOCATION, SLASH, HEADERS = "status", "location", "slash", "headers"


@dataclass(frozen=True)
class Pattern:
    """A rule for addresses that cannot be listed: a regular expression for decoded paths, and the names of its groups.

    `target` is a path of the bucket if `status` is 200, else a Location in which `:name` stands for a group.
    """

    pattern: str
    names: tuple[str, ...]
    status: int
    target: str


@dataclass(frozen=True)
class EdgeRules:
    """The plain data of a site's functions.

    `refused`: a regular expression for decoded paths that are missing. `root` and `missing`: the bucket paths of the
    first page, and of the page for missing addresses. `patterns` are tried in order, then `fallback` (a path in the
    bucket, or ""), but not for the addresses in `known`, which have objects. `headers` are those of every answer, for
    answers that the function makes itself: no document promises that a response headers policy covers them. `cors`:
    pages of any origin may read the site.
    """

    refused: str
    root: str
    missing: str
    patterns: tuple[Pattern, ...] = ()
    fallback: str = ""
    known: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    cors: bool = True


def viewer_request(rules: EdgeRules, *, site: str, redirect_from: tuple[str, ...] = ()) -> str:
    """Return the viewer-request function. It redirects requests for the hosts in `redirect_from` to `site`."""
    patterns = [[one.pattern, list(one.names), one.status, one.target] for one in rules.patterns]
    return _filled(
        _REQUEST,
        SITE=site,
        HOSTS=list(redirect_from),
        REFUSED=rules.refused,
        ROOT=rules.root,
        MISSING=rules.missing,
        PATTERNS=patterns,
        FALLBACK=rules.fallback,
        KNOWN=_grouped(rules.known),
        HEADERS={name.lower(): {"value": value} for name, value in rules.headers},
    )


def viewer_response(rules: EdgeRules) -> str:
    """Return the viewer-response function."""
    return _filled(_RESPONSE, CORS=rules.cors)


def faults(rules: EdgeRules, *, site: str, redirect_from: tuple[str, ...] = ()) -> Iterator[Fault]:
    """Yield the reasons why CloudFront would refuse the functions."""
    alone = replace(rules, patterns=(), fallback="", known=())
    size, without = (
        len(viewer_request(one, site=site, redirect_from=redirect_from).encode()) for one in (rules, alone)
    )
    made = f"makes a CloudFront function of {size:,} bytes, and {MOST_BYTES:,} are allowed: it holds"
    if without > MOST_BYTES:
        yield Fault("embed", f"{made} the headers of every answer; name fewer origins")
    elif size > MOST_BYTES:
        yield Fault(
            "_redirects" if rules.patterns else "fallback",
            f"{made} every rule with a wildcard, and every address of a page that one of them or `fallback` covers "
            f"({len(rules.known)}); use fewer rules, or rules that cover no pages",
        )


def _grouped(known: tuple[str, ...]) -> dict[str, list[str]]:
    """Return addresses in short form: those of a folder stand once, under the sum of 1, 2 (`/`) and 4 (`/index`)."""
    masks: dict[str, int] = {}
    for path in known:
        bit, ending = next((bit, end) for bit, end in ((4, "/index"), (2, "/"), (1, "")) if path.endswith(end))
        stem = path.removesuffix(ending)
        masks[stem] = masks.get(stem, 0) | bit
    return {str(mask): sorted(stem for stem in masks if masks[stem] == mask) for mask in sorted({*masks.values()})}


def _filled(code: str, **values: object) -> str:
    for name, value in values.items():
        code = code.replace(f"%{name}%", json.dumps(value, separators=(",", ":")))
    return code


_REQUEST = """\
var SITE = %SITE%, HOSTS = %HOSTS%, PATTERNS = %PATTERNS%, FALLBACK = %FALLBACK%, KNOWN = %KNOWN%;
var HEADERS = %HEADERS%;
var REFUSED = new RegExp(%REFUSED%);

function answer(status, description, headers) {
  Object.keys(HEADERS).forEach(function (name) { headers[name] = HEADERS[name]; });
  return {statusCode: status, statusDescription: description, headers: headers};
}

function moved(status, location, request) {
  var query = request.rawQueryString();
  if (query && !/[?#]/.test(location)) location += '?' + query;
  return answer(status, 'Moved', {location: {value: location}, 'cache-control': {value: 'no-cache'}});
}

function encoded(path) {
  return path.split('/').map(encodeURIComponent).join('/');
}

function filled(target, names, found) {
  return target.replace(/:([A-Za-z]\\w*)/g, function (all, name) {
    var at = names.indexOf(name);
    return at < 0 ? all : encodeURI(found[at + 1] || '').replace(/[?#]/g, encodeURIComponent);
  });
}

function known(path) {
  var bit = /\\/index$/.test(path) ? 4 : /\\/$/.test(path) ? 2 : 1;
  var stem = bit === 4 ? path.slice(0, -6) : bit === 2 ? path.slice(0, -1) : path;
  return Object.keys(KNOWN).some(function (mask) { return (mask & bit) && KNOWN[mask].indexOf(stem) >= 0; });
}

function handler(event) {
  var request = event.request, path, found, rule, i;
  var host = request.headers.host ? request.headers.host.value.toLowerCase() : '';
  if (/%(?![0-9A-Fa-f]{2})/.test(request.uri)) return answer(400, 'Bad Request', {});
  if (HOSTS.indexOf(host) >= 0) return moved(301, SITE + request.uri, request);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return answer(405, 'Method Not Allowed', {allow: {value: 'GET, HEAD'}});
  }
  try { path = decodeURIComponent(request.uri); } catch (error) { path = '//'; }
  if (REFUSED.test(path)) {
    request.uri = %MISSING%;
    return request;
  }
  if (!known(path)) {
    for (i = 0; i < PATTERNS.length; i++) {
      rule = PATTERNS[i];
      found = new RegExp(rule[0]).exec(path);
      if (found && rule[2] !== 200) return moved(rule[2], filled(rule[3], rule[1], found), request);
      if (found) {
        request.uri = encoded(rule[3]);
        return request;
      }
    }
    if (FALLBACK && !/\\.[^\\/]*$/.test(path)) {
      request.uri = encoded(FALLBACK);
      return request;
    }
  }
  request.uri = path === '/' ? %ROOT% : encoded(path);
  return request;
}
"""

_RESPONSE = """\
function handler(event) {
  var response = event.response, headers = response.headers, request = event.request, own = {}, location, query;
  Object.keys(headers).forEach(function (name) {
    if (name.indexOf('x-amz-') !== 0) return;
    own[name.replace('x-amz-meta-', '')] = headers[name].value;
    delete headers[name];
  });
  if (%CORS%) headers['access-control-allow-origin'] = {value: '*'};
  if (own.headers) {
    JSON.parse(own.headers).forEach(function (pair) { headers[pair[0].toLowerCase()] = {value: pair[1]}; });
  }
  if (own.status) {
    // The object's key has these encoded, and addresses do not: $ & + , : ; = @
    location = request.uri.replace(/%(?:2[46BC]|3[ABD]|40)/g, decodeURIComponent);
    location = own.slash === 'add' ? location + '/' : own.slash ? location.slice(0, -1) : own.location;
    query = request.rawQueryString();
    if (query && !/[?#]/.test(location)) location += '?' + query;
    response.statusCode = Number(own.status);
    response.statusDescription = 'Moved';
    headers.location = {value: location};
    ['etag', 'last-modified', 'content-range', 'accept-ranges'].forEach(function (name) { delete headers[name]; });
  }
  return response;
}
"""
