"""Icons of Font Awesome that Material for MkDocs has too, by name, with the set of each."""

from __future__ import annotations

_BRANDS = (
    "github gitlab discord twitter x-twitter telegram youtube linkedin medium reddit docker aws google apple "
    "android windows linux ubuntu python node-js js rust golang npm git-alt bitcoin ethereum slack facebook "
    "instagram mastodon "
)
_SOLID = (
    "house book book-open bolt rocket code terminal gear gears wrench lock key shield shield-halved server "
    "database cloud cube cubes link globe users user wallet coins dollar-sign chart-line chart-simple circle-info "
    "circle-question circle-check circle-xmark triangle-exclamation lightbulb star heart flag bell envelope "
    "download upload arrow-right arrow-left arrow-up-right-from-square magnifying-glass list check xmark plus "
    "minus file file-lines folder image video play puzzle-piece plug network-wired robot scale-balanced handshake "
    "money-bill clock calendar map compass graduation-cap screwdriver-wrench layer-group diagram-project sitemap "
    "ellipsis ellipsis-vertical pen pencil trash eye "
)

#: Name → set, as in `:fontawesome-solid-house:`. Each is a file of Material's `.icons/fontawesome`.
ICONS = dict.fromkeys(_SOLID.split(), "solid") | dict.fromkeys(_BRANDS.split(), "brands")
