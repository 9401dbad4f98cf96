"""Spirit, a third party's forum (django-spirit, from the Python index), at both sites, and a client that posts there.

The installation follows https://spirit.readthedocs.io/en/latest/installation.html: `spirit startproject`, own settings,
`manage.py spiritinstall`. The web tier runs at each site all the time, and works at the site whose database is open.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from ..engine import cache
from .ground import SECRETS, NotSeen, free_port, until
from .rows import Ack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .world import World

_LOCK = Path(__file__).with_name("spirit.txt")
_PROJECT = "board"
_USER, _PASSWORD = "poster", "poster's password"
#: The differences from Spirit's own settings. A message is acknowledged only after its whole transaction is committed.
_SETTINGS = """
import os
from .base import *

DEBUG = False
SECRET_KEY = os.environ["BOARD_SECRET"]
ALLOWED_HOSTS = ["127.0.0.1"]
ST_SITE_URL = "http://127.0.0.1/"
ST_RATELIMIT_ENABLE = False
CACHES = {name: {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "TIMEOUT": None} for name in CACHES}
LOGGING = {"version": 1}
DATABASES = {"default": {
    "ENGINE": "django.db.backends.postgresql", "HOST": "127.0.0.1", "PORT": os.environ["BOARD_PORT"], "NAME": "forum",
    "USER": "forum", "PASSWORD": os.environ["FORUM_PASSWORD"], "CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True,
    "ATOMIC_REQUESTS": True, "OPTIONS": {"connect_timeout": 2},
}}
"""
_FIRST = f"""
import os
from django.contrib.auth import get_user_model
from spirit.category.models import Category

get_user_model().objects.create_superuser("{_USER}", "poster@dao.example", os.environ["BOARD_MEMBER"])
Category.objects.create(title="Numbers")
"""
_POSTS = "SELECT id, comment FROM spirit_comment_comment WHERE comment LIKE 'message %' ORDER BY id"
_FOUND = re.compile(r"/comment/(\d+)/find/$")


def software() -> Path:
    """Return the folder with Spirit and its dependencies, in the user's cache. Raises NotMade if that fails."""
    folder = cache.key("spirit", hashlib.sha256(_LOCK.read_bytes()).hexdigest()[:12])

    def get(new: Path) -> None:
        uv = str(Path(sys.executable).parent / "uv")
        words = [uv, "pip", "install", "--system-certs", "--python", sys.executable, "--require-hashes"]
        cache.run(
            [*words, "--target", str(new), "-r", str(_LOCK)],
            title="spirit: getting the forum software from the Python index",
            takes="a minute",
            to=cache.log(folder),
        )

    return cache.made(folder, get)


class Forum:
    """The forum's web tier at both sites of a world; `close` ends it."""

    def __init__(self, world: World) -> None:
        self.world, self.folder = world, world.folder / "forum-web"
        self.packages = software()
        self.ports = {name: free_port() for name in world.sites}
        self._servers: dict[str, subprocess.Popen[bytes]] = {}
        self.folder.mkdir()
        self._python("-m", "django", "startproject", f"--template={self._template}", _PROJECT, self.folder)
        (self.folder / _PROJECT / "settings" / "here.py").write_text(_SETTINGS)

    @property
    def _template(self) -> Path:
        return self.packages / "spirit" / "extra" / "project_template"

    def _environment(self, site: str | None = None) -> dict[str, str]:
        more = {"BOARD_PORT": str(self.world.sites[site].port)} if site else {}
        if site:
            more["DJANGO_SETTINGS_MODULE"] = f"{_PROJECT}.settings.here"
        return {
            **{name: os.environ[name] for name in ("PATH", "LANG", "TZ") if name in os.environ},
            "PYTHONPATH": f"{self.packages}{os.pathsep}{self.folder}",
            "PYTHONDONTWRITEBYTECODE": "1",  # the cache must not change
            "HOME": str(self.world.folder),
            "BOARD_SECRET": "equal at both sites, so that a session goes on",
            "FORUM_PASSWORD": SECRETS["FORUM_PASSWORD"],
            "BOARD_MEMBER": _PASSWORD,
            **more,
        }

    def _python(self, *words: str | Path, site: str | None = None) -> None:
        """Run Python to its end, with only Spirit's packages."""
        done = subprocess.run(
            [_interpreter(), *words],
            env=self._environment(site),
            cwd=self.world.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(map(str, words))}: {(done.stderr or done.stdout)[-2000:]}")

    def install(self, site: str) -> None:
        """Make the forum's tables, one member and one category at the writer's site."""
        manage = self.folder / "manage.py"
        self._python(manage, "spiritinstall", site=site)
        self._python(manage, "shell", "-c", _FIRST, site=site)

    def start(self, *names: str) -> None:
        """Start the web tier of sites."""
        for name in names or tuple(self.ports):
            words = ["-m", "waitress", f"--listen=127.0.0.1:{self.ports[name]}", "--threads=2"]
            with (self.world.folder / f"web-{name}.log").open("ab") as log:
                self._servers[name] = subprocess.Popen(
                    [_interpreter(), *words, f"{_PROJECT}.wsgi:application"],
                    env=self._environment(name),
                    cwd=self.world.folder,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )

    def kill(self, name: str) -> None:
        """Kill the web tier of a site with signal 9."""
        process = self._servers.pop(name, None)
        if process is not None:
            process.kill()
            process.wait()

    def close(self) -> None:
        """End everything."""
        for name in list(self._servers):
            self.kill(name)
        shutil.rmtree(self.folder, ignore_errors=True)

    def posts(self) -> list[tuple[int, int, str]]:
        """Return the messages at the writer's site: the comment's id, its number, and the site that accepted it."""
        found = []
        for line in self.world.asked(_POSTS).splitlines():
            identifier, _, text = line.partition("|")
            number, _, site = text.removeprefix("message ").partition(" at ")
            found.append((int(identifier), int(number), site.strip()))
        return found


class Poster:
    """A thread that posts numbered messages at the site that accepts them. A post without an answer is not repeated."""

    def __init__(self, forum: Forum, every_s: float = 0.0) -> None:
        self.forum, self.every_s = forum, every_s
        self.acks: list[Ack] = []
        self._number, self._topic = 0, ""
        self._cookies: Mapping[str, str] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self, site: str) -> None:
        """Log in and open a topic at the writer's site, as a browser does, and start the thread."""
        with httpx.Client(base_url=f"http://127.0.0.1:{self.forum.ports[site]}", timeout=30) as web:
            until(lambda: _answers(web), "the forum's web tier")
            given = {"username": _USER, "password": _PASSWORD, "csrfmiddlewaretoken": web.cookies["csrftoken"]}
            if web.post("/user/login/", data=given).status_code != 302:
                raise NotSeen("the forum lets no member in")
            page = web.get("/topic/publish/").text
            category = re.search(r'<option value="(\d+)"', page)
            if category is None:
                raise NotSeen(f"the forum has no category: {page[-500:]}")
            answer = web.post("/topic/publish/", data=self._topic_of(category[1], web.cookies["csrftoken"]))
            opened = re.match(r"/topic/(\d+)/", answer.headers.get("location", ""))
            if opened is None:
                raise NotSeen(f"the forum opens no topic: {answer.status_code} {answer.text[-500:]}")
            self._topic, self._cookies = opened[1], dict(web.cookies)
        self._thread.start()

    def _topic_of(self, category: str, token: str) -> dict[str, str]:
        return {"title": "numbers", "category": category, "comment": "one a message", "csrfmiddlewaretoken": token}

    def close(self) -> None:
        """Stop posting."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(60)

    def _run(self) -> None:
        while not self._stop.is_set():
            for site, port in self.forum.ports.items():
                # A new client for each visit, because a kept connection could still reach a site that was replaced.
                with contextlib.suppress(httpx.HTTPError), self._client(port) as web:
                    self._visit(site, web)
            self._stop.wait(0.05)

    def _client(self, port: int) -> httpx.Client:
        return httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, cookies=dict(self._cookies))

    def _visit(self, site: str, web: httpx.Client) -> None:
        while not self._stop.is_set():
            begun = time.monotonic()
            number = self._number = self._number + 1
            given = {"comment": f"message {number} at {site}", "csrfmiddlewaretoken": self._cookies["csrftoken"]}
            answer = web.post(f"/comment/{self._topic}/publish/", data=given)
            if answer.status_code != 302 or not _FOUND.search(answer.headers.get("location", "")):
                return
            self.acks.append(Ack(number, site, time.monotonic()))
            self._stop.wait(max(0.0, begun + self.every_s - time.monotonic()))


def _answers(web: httpx.Client) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return web.get("/user/login/").status_code == 200
    return False


def _interpreter() -> str:
    """Return the base Python of this environment, which does not have our packages."""
    found: Any = getattr(sys, "_base_executable", sys.executable)
    return str(found)
