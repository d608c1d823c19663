"""The jars that Apache Kafka consists of: pinned in `jars.lock.tsv`, downloaded once per user, checked at every start.

    python -m streams.broker.jars lock [VERSION]    resolve again and rewrite the lock
    python -m streams.broker.jars fetch             fill the cache now

Where the jars come from is jgo's business (Maven's central repository unless jgo's author decides otherwise): the lock
holds names, versions and hashes only, so that it stays right behind a mirror.
"""

import argparse
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from streams.errors import BrokerFailed, UserError

LOCK_FILE = Path(__file__).with_name("jars.lock.tsv")
KAFKA = ("org.apache.kafka", "kafka_2.13")
LOGGING_GROUP = "org.apache.logging.log4j"

_HEADER = "group\tartifact\tversion\tsha256"
_DOWNLOADS_AT_ONCE = 4
_ATTEMPTS = 3
_HTTP_TIMEOUT = 60  # seconds without a byte
_LINE_EVERY = 8  # jars per line of progress


@dataclass(frozen=True, order=True)
class Jar:
    """One jar by its Maven coordinates; `sha256` is the lower-case hex digest of the whole file."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        """The jar's name in a repository and in the cache."""
        return f"{self.artifact}-{self.version}.jar"


def locked_jars(lock: Path = LOCK_FILE) -> tuple[Jar, ...]:
    """Return the pinned jars in the order of the class path."""
    lines = lock.read_text(encoding="ascii").splitlines()
    assert lines[0] == _HEADER, f"{lock} was not written by this module"
    return tuple(Jar(*line.split("\t")) for line in lines[1:])


def kafka_version(jars: Sequence[Jar]) -> str:
    """Return the version of Kafka among `jars`."""
    return next(jar.version for jar in jars if (jar.group, jar.artifact) == KAFKA)


def user_cache() -> Path:
    """Return the user's cache directory (XDG): every clone on the machine shares the jars."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "newsflow"


def class_path(progress: Callable[[str], None], cache: Path | None = None) -> list[Path]:
    """Return the jars on disk, every one checked against the lock; those that are missing are downloaded first.

    Args:
        progress: gets a line of text now and then while jars are downloaded, nothing when all are there.
        cache: directory for `jars-<Kafka version>`; the user's cache directory when not given.

    Raises:
        BrokerFailed: a jar is not what the lock says, or it cannot be downloaded or stored.
    """
    jars = locked_jars()
    version = kafka_version(jars)
    directory = (cache or user_cache()) / f"jars-{version}"
    missing = [jar for jar in jars if not (directory / jar.file_name).exists()]
    if missing:
        try:
            directory.mkdir(parents=True, exist_ok=True)
            _download(missing, directory, f"downloading Kafka {version}", progress)
        except OSError as error:
            raise BrokerFailed(f"Kafka's jars cannot be stored in {directory}: {error}") from error
    paths = [directory / jar.file_name for jar in jars]
    for jar, path in zip(jars, paths, strict=True):
        _check(jar, path, f"Delete {path} and start again: it will be downloaded anew.")
    return paths


def _download(jars: Sequence[Jar], directory: Path, what: str, progress: Callable[[str], None]) -> None:
    """Download `jars` into `directory`; a jar appears there only complete and checked."""
    progress(f"{what}: 0/{len(jars)} jars")
    with (
        # On the same file system, so that a rename moves the jar: another process may be filling the same cache.
        tempfile.TemporaryDirectory(prefix=".download-", dir=directory) as staging,
        ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool,
    ):
        fetches = [pool.submit(_fetch, jar, Path(staging), directory) for jar in jars]
        try:
            for done, fetch in enumerate(as_completed(fetches), start=1):
                fetch.result()
                if done % _LINE_EVERY == 0 or done == len(jars):
                    progress(f"{what}: {done}/{len(jars)} jars")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _fetch(jar: Jar, staging: Path, directory: Path) -> None:
    maven = _maven()
    problem: Exception | None = None
    for attempt in range(_ATTEMPTS):
        # A directory per attempt: jgo takes whatever file it finds there, also half of one.
        context = maven.MavenContext(repo_cache=staging / f"{jar.file_name}-{attempt}", timeout=_HTTP_TIMEOUT)
        try:
            path = context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
        except (
            OSError,
            RuntimeError,
        ) as error:  # requests' errors are OSErrors; jgo raises RuntimeError for "not found"
            problem = error
            continue
        _check(jar, path, "What was downloaded is not what was pinned: is a proxy in between that changes files?")
        path.replace(directory / jar.file_name)
        return
    raise BrokerFailed(
        f"{jar.file_name} cannot be downloaded ({type(problem).__name__}: {problem}). "
        "Is the network there? To use a Kafka of your own set NEWSFLOW_BROKERS."
    ) from problem


def _check(jar: Jar, path: Path, advice: str) -> None:
    """Raise BrokerFailed with `advice` when the file is not the pinned jar."""
    try:
        found = _sha256(path)
    except OSError as error:
        raise BrokerFailed(f"{path} cannot be read: {error}") from error
    if found != jar.sha256:
        raise BrokerFailed(f"{jar.file_name} has SHA-256 {found}, expected {jar.sha256}. {advice}")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _maven() -> ModuleType:
    """Return jgo.maven; imported late because an installation that has a cluster needs no jgo."""
    try:
        import jgo.maven
    except ImportError as error:
        raise BrokerFailed(
            "The local Kafka needs the package jgo: pip install 'newsflow[broker]'. "
            "To use a Kafka of your own set NEWSFLOW_BROKERS."
        ) from error
    return jgo.maven


def resolve(version: str, progress: Callable[[str], None]) -> list[Jar]:
    """Return Kafka `version` and all it needs at run time, hashed; downloads everything into a temporary directory."""
    maven = _maven()
    with tempfile.TemporaryDirectory() as directory:
        context = maven.MavenContext(repo_cache=Path(directory), timeout=_HTTP_TIMEOUT)

        def needed(*coordinates: tuple[str, str, str]) -> dict[tuple[str, str], str]:
            wanted = [maven.Dependency(context.project(g, a).at_version(v).artifact()) for g, a, v in coordinates]
            inputs, transitive = context.resolver.resolve(wanted)
            return {(d.groupId, d.artifactId): d.version for d in [*inputs, *transitive]}

        progress(f"resolving Kafka {version}")
        versions = needed((*KAFKA, version))
        # Kafka logs through slf4j and its own pom leaves the binding to the distribution: without it there is no log.
        versions[LOGGING_GROUP, "log4j-slf4j-impl"] = versions[LOGGING_GROUP, "log4j-core"]
        jars = []
        for (group, artifact), jar_version in sorted(versions.items()):
            progress(f"hashing {artifact} {jar_version}")
            path = context.project(group, artifact).at_version(jar_version).artifact().resolve()
            jars.append(Jar(group, artifact, jar_version, _sha256(path)))
    return jars


def write_lock(jars: Sequence[Jar], lock: Path = LOCK_FILE) -> None:
    """Write `jars` to the lock, one a line."""
    lines = [_HEADER, *(f"{j.group}\t{j.artifact}\t{j.version}\t{j.sha256}" for j in jars)]
    lock.write_text("\n".join(lines) + "\n", encoding="ascii")


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


def main() -> None:
    """Run the command line shown at the top of this module."""
    parser = argparse.ArgumentParser(prog="python -m streams.broker.jars", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    lock = commands.add_parser("lock", help="resolve again and rewrite jars.lock.tsv")
    lock.add_argument("version", nargs="?", help="Kafka's version; the one in the lock when not given")
    commands.add_parser("fetch", help="download what the cache lacks and check everything")
    arguments = parser.parse_args()
    try:
        if arguments.command == "lock":
            write_lock(resolve(arguments.version or kafka_version(locked_jars()), _say))
        else:
            _say(f"{len(class_path(_say))} jars are there and right")
    except UserError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
