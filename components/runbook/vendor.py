"""A chapter about leaving the vendor that published the pages before: GitBook, Netlify, Vercel and others."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from . import checks
from .chapter import Chapter, Check, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .case import Case

#: The list of old addresses in the project's root, as `unmoor content redirects` writes it.
OLD_ADDRESSES = "old-addresses.json"
#: The folder of the vendor's repository, and the vendor's name in the inventory: the operator exports both.
_SOURCE, _VENDOR = '"${SOURCE:-.}"', '"${VENDOR:-gitbook}"'
_TRACES = "gitbook|netlify|vercel|readthedocs|notion"


def leave_vendor(case: Case) -> Iterator[Chapter]:
    """Leave the vendor, in an order in which no reader meets a dead address; None if there was no vendor."""
    if not case.old_site or case.plan.host is None:
        return
    yield Chapter(
        "leave-vendor",
        "Leave the vendor of the pages",
        f"Once visitors of {case.plan.host} are served by the sites of this stack. `export SOURCE=` with the "
        "repository that the vendor synchronised, and `export VENDOR=` with its name: gitbook, netlify, vercel.",
        (*_content(case), *_addresses(case), *_names(case)),
    )


def _content(case: Case) -> Iterator[Step]:
    yield Step(
        "export",
        "Everything is in a repository of your own",
        "Pages, pictures and settings; what only the vendor holds is lost with the account.",
        Check(f"./unmoor content recognise {_SOURCE}", ("…: …", "site: …")),
        Check(f"git -C {_SOURCE} remote -v", ("…(fetch)",)),
        1,
        otherwise="Export it from the vendor first (GitBook: Git Sync to a repository), and clone that.",
    )
    yield Step(
        "freeze",
        "Editing at the vendor has ended",
        "Make the space read-only and end its synchronisation; what is written there from now on is lost.",
        Check(f"git -C {_SOURCE} pull --ff-only", ("…",)),
        Check(f"git -C {_SOURCE} status --short --branch", ("## …",)),
        0.25,
        otherwise="Merge what the vendor still holds, import it again, and begin anew.",
        approval=case.owner,
    )


def _addresses(case: Case) -> Iterator[Step]:
    folder = getattr(case.plan.options, "site", "the site's folder")
    host = case.plan.host or ""
    yield Step(
        "addresses",
        "Every old address leads to its page",
        f"The list in {OLD_ADDRESSES} was made while the old site was live; each address of it is asked now.",
        Check(f"./unmoor content check --at https://{host}", ("… old addresses lead to their page",), limit_s=3600),
        checks.visit(case.plan),
        1,
        otherwise=f"Add rules to _redirects in {folder}, publish, and ask again; the vendor still serves the old site.",
    )
    yield Step(
        "search",
        "Search engines find the new addresses",
        "The sitemap and the canonical address of each page name this host; hand the sitemap in at each engine.",
        Check(f"curl -fsS --max-time 10 https://{host}/sitemap.xml", (f"…<loc>https://{host}/…",)),
        Check(
            f"curl -fsS --max-time 10 https://{host}/ | grep -o 'rel=.canonical. href=.[^>]*'", (f"…https://{host}/…",)
        ),
        0.5,
        otherwise="Set the site's address in its generator (`site_url` of MkDocs), build, and publish.",
    )
    yield Step(
        "webhooks",
        "Webhooks and CI do not call the vendor any more",
        "Names of files that mention one are printed; remove what calls it there, and its keys from the CI.",
        Check(f"git -C {_SOURCE} grep -lIiE '{_TRACES}' -- .github .gitlab-ci.yml '*.toml' || echo none", ("…",)),
        Check(f"git -C {_SOURCE} log -1 --format=%cI", ("20…",)),
        0.5,
    )


def _names(case: Case) -> Iterator[Step]:
    zone = shlex.quote(case.topology.zone.name)
    check = f"./unmoor content names {zone} {_VENDOR}"
    yield Step(
        "names",
        "No name leads to the vendor",
        "A name that leads to a host which was left can be taken over by its next customer.",
        Check(check, (f"no name of {zone} leads to …",)),
        checks.visit(case.plan),
        0.5,
        otherwise="Change each name that is printed, wait for its TTL, and look again before the account is closed.",
    )
    yield Step(
        "domain",
        "The custom domain is removed at the vendor, last",
        "Remove it there only now: while a name leads to the vendor, its next customer can claim the domain.",
        Check(check, (f"no name of {zone} leads to …",), within_s=600),
        Check(f"./unmoor content check --at https://{case.plan.host}", ("… old addresses lead to their page",)),
        0.5,
        otherwise="Put the domain back at the vendor, and find the name that still leads there.",
        approval=case.owner,
    )
