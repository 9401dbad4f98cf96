"""A service, an API with a cache, which survives the loss of AWS, flips as a site does and changes its release."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import yaml

from ..client import NotReached, get
from ..story import AKASH, BALANCER
from .chapter import CENTRALIZED, DECENTRALIZED, Chapter, Stage, committed
from .docs import FLIP_FIGURES, lose_aws, stand_by

if TYPE_CHECKING:
    from ..story import Story

HOST = "api.dao.example"
#: Any digest: the sandbox looks at names alone (`sandbox/images.yaml`).
IMAGE = "ghcr.io/dao-example/api:1.0@sha256:4c6e91c6ed0e2fa03efd5b44747b625fec79bc9cd06ac5235a779726618e530d"


def text() -> str:
    """Return the sandbox's stack file with a service as its only workload, and without stores."""
    file = yaml.safe_load(committed())
    file["config"]["unmoor:workloads"] = {
        "api": {
            "kind": "service",
            "mode": "centralized",
            "host": HOST,
            "placement": {"centralized": "aws", "decentralized": ["akash"]},
            "options": {
                "image": IMAGE,
                "port": 8080,
                "env": {"CACHE": "cache", "GREETING": "one"},
                "health": {"match": '"ok"', "grace_s": 90},
                "volume": {"path": "/var/cache/api", "gib": 1},
            },
        }
    }
    return yaml.safe_dump(file, sort_keys=False)


STAGE = Stage("api", HOST, "/hello", text)


def play(story: Story) -> None:
    """Let Akash stand by, lose AWS, flip the service to Akash, and change its release there."""
    stand_by(story)
    story.chapter("AWS is lost")
    lose_aws(story, BALANCER)
    story.chapter("the service moves to Akash")
    story.flip("mode: active-standby", "mode: decentralized")
    story.claim(story.served_by(AKASH), "requests are answered from Akash")
    story.chapter("another release of the service")
    story.edit("GREETING: one", "GREETING: two")
    since = time.time()
    story.up()
    story.until("the new release", lambda: _greeting(story) == "two")
    failed = story.seen.failed(since, time.time())
    story.figures["service_update_failed_requests"] = len(failed)
    story.claim(not failed, f"the release changed, {len(failed)} requests failed")


def _greeting(story: Story) -> str:
    """Return the greeting that visitors get; "" if the answer is not the service's own."""
    try:
        return str(json.loads(get(STAGE.url, story.state).body)["greeting"])
    except (NotReached, ValueError, LookupError, TypeError):
        return ""


CHAPTER = Chapter(
    "service", "an API with a cache: AWS is lost, it flips to Akash as a site does, and changes its release there",
    play, CENTRALIZED, DECENTRALIZED, STAGE,
    figures=("service_update_failed_requests", "failover_s", "failback_s", *FLIP_FIGURES),
)  # fmt: skip
