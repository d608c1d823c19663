"""Raw records that nobody would send on purpose: a generator with a seed, and `prepare` fed with them in processes.

`python -m tests.chaos.fuzzed_records SEED NUMBER` shows one record again and what `prepare` makes of it.
"""

import json
import multiprocessing
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from schemas import DeadLetterReason, PreparedEvent
from streams import article_files
from streams.delivery.records import Headers, Incoming, Outgoing, process
from streams.line import Line, newsflow_line
from streams.settings import Settings
from streams.topics import DEAD_LETTER_HEADERS

SAMPLES = Path(__file__).parent.parent.parent / "samples"
LONG = 200
"""One record in so many may be long."""
ODD = (
    *(
        "\x00",
        "\x01",
        "\x08",
        "\x0b",
        "\x1b[31m",
        "\x7f",
        "\x85",
        "\xa0",
        "\xad",
        "\u0301",
        "\u0489",
        "\u061c",
        "\u200b",
    ),
    *("\u200d", "\u200e", "\u202e", "\u2028", "\u2029", "\u2066", "\u2069", "\ufdfa", "\ufe0f", "\ufeff", "\ufffd"),
    *("\ufffe", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U000e0041", "\U0010ffff", "İ", "ß", "ﬁ", "Ǆ", "ı"),
    *("\ud800", "\udfff", "\udc00\ud800", "їё", "a", " ", "\t", "\r\n", "\n\n", "«", "»", '"', "'", "&", "<", ">"),
)
RUNS = (
    *(
        " ",
        "\n",
        "\t",
        "\u00a0",
        "<",
        ">",
        "&",
        "&#",
        "&#x",
        "&amp;",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<br",
        "<br/>",
    ),
    *("<p>", "</p>", "<div>", "<table><tr><td>", "<script>", "<style>", "<a href='", "<!DOCTYPE ", "<?", "{", "[", "}"),
    *(
        '"',
        "\\",
        "\\u",
        "/",
        "//",
        "http://",
        "www.",
        "@",
        "#",
        ".",
        "..",
        "a.",
        "A. ",
        "1",
        "1,",
        "00:",
        "0:0",
        "-",
        "—",
    ),
    *("«", "»", "(", ")", "|", "_", "*", "=", "слово ", "СЛОВО", "Word. ", "a\u0301", "\u0301", "\u200d", "\U0001f1fa"),
    *(
        "© ",
        "Фото: ",
        "Photo: ",
        "Читайте также: ",
        "Джерело: ",
        "12:34\n",
        "Reuters\n",
        "x" * 50 + "\n",
        "\x00",
        "\ufffd",
    ),
)
FIELDS = (
    *("id", "url", "title", "text", "html", "language", "published_at", "fetched_at", "source", "author", "metadata"),
    *("", " ", "ID", "text\x00", "\ud83d", "__class__", "x" * 300),
)
CONTENT_TYPES = (
    *("text/plain", "text/html", "application/json", "text/html; charset=cp1251", "text/plain; charset=utf-16", ";;="),
    *("application/json; charset=\xff", "text/html; charset=" + "x" * 500, "", "x", "text/plain;charset=idna", "\x00"),
    *(
        "text/plain; charset=utf-7",
        "text/html;charset=rot13",
        "text/plain;charset=punycode",
        "application/json;charset=hex",
    ),
    *("text/plain;charset=unicode_escape", "text/html; charset=UTF-32", "TEXT/HTML; CHARSET=KOI8-U", "image/png"),
)
CHARSETS = (
    *("cp1251", "koi8_u", "koi8_r", "utf_16", "utf_16_le", "utf_16_be", "utf_32", "utf_8_sig", "cp866", "iso8859_5"),
    *("mac_cyrillic", "latin_1", "cp1252", "shift_jis", "gb18030", "utf_7", "cp037"),
)
TIMES = (
    *("2024-02-30", "0000-00-00T00:00:00Z", "9999-12-31T23:59:60+99:99", "yesterday", "-1", "1e400", "20240101T000000"),
    *("2024-01-01T00:00:00.123456789012Z", "٢٠٢٤-٠١-٠١", "2024-13-01", "Mon, 1 Jan 24 00:00:00 GMT", "１２", "\x00"),
)


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """A raw record and how it was made."""

    kind: str
    key: bytes | None
    value: bytes
    headers: Headers


@cache
def _samples() -> tuple[bytes, ...]:
    paths = sorted(str(p) for p in SAMPLES.iterdir() if p.suffix in article_files.CONTENT_TYPES)
    return tuple(article.raw.value for article in article_files.read(paths))


@cache
def sample_texts() -> tuple[str, ...]:
    """Return the sample articles as text."""
    return tuple(body.decode("utf-8", "replace") for body in _samples())


class Generator:
    """Records of one seed; the n-th is the same whichever were made before."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._random = random.Random()
        self._longest = 0

    def record(self, number: int) -> Fuzzed:
        """Return record `number`."""
        self._random.seed(f"{self._seed}/{number}")
        self._longest = 100_000 if number % LONG == LONG - 1 else 2_000
        name, make = self._random.choice(tuple(MAKERS.items()))
        return Fuzzed(name, self._key(), make(self), self._headers(name))

    def _key(self) -> bytes | None:
        r = self._random
        return r.choice((None, b"", b"k1", b"\xff\x00", r.randbytes(20), b"k" * 3_000, "ключ\u202e".encode()))

    def _headers(self, kind: str) -> Headers:
        r = self._random
        headers: list[tuple[str, bytes | None]] = []
        if r.random() < 0.4 or "mime" in kind:
            name = r.choice(("content-type", "Content-Type", "CONTENT-TYPE"))
            headers.append((name, r.choice((*CONTENT_TYPES, "\u0130")).encode("utf-8", "replace")))
        while r.random() < 0.2:
            name = r.choice(("traceparent", "tracestate", "newsflow.replays", "newsflow.reason", "ce_id", "ce_time"))
            name = r.choice((name, "__connect.errors.topic", "", "имя", "x" * 300, "a\x00b"))
            headers.append((name, r.choice((None, b"", b"\xff\xfe", r.randbytes(30), b"9" * 5_000, b"text"))))
        return tuple(headers)

    def _count(self) -> int:
        """Return a length: mostly small, sometimes as long as this record may be."""
        return int(self._longest ** self._random.random()) if self._random.random() < 0.9 else self._longest

    def _text(self) -> str:
        r = self._random
        parts = []
        for _ in range(r.randrange(1, 12)):
            kind = r.randrange(5)
            if kind == 0:
                parts.append("".join(r.choices(ODD, k=r.randrange(1, 30))))
            elif kind == 1:
                parts.append(r.choice(RUNS) * (self._count() // 20))
            elif kind == 2:
                parts.append("".join(chr(r.randrange(0x110000)) for _ in range(r.randrange(40))))
            else:
                sample = r.choice(_samples()).decode("utf-8", "replace")
                start = r.randrange(len(sample))
                parts.append(sample[start : start + r.randrange(400)])
        return "".join(parts)

    def _json_value(self, depth: int = 0) -> Any:
        r = self._random
        kind = r.randrange(9 if depth < 4 else 7)
        if kind == 7:
            return [self._json_value(depth + 1) for _ in range(r.randrange(5))]
        if kind == 8:
            return {r.choice((*FIELDS, *ODD)): self._json_value(depth + 1) for _ in range(r.randrange(5))}
        scalars = (None, True, r.randrange(-9, 10**30), r.choice((1e308, -0.0, 5e-324, float("inf"), float("nan"))))
        return (*scalars, self._text(), r.choice(TIMES), "")[kind]

    def wrong_types(self) -> bytes:
        r = self._random
        body = {name: self._json_value() for name in r.sample(FIELDS, r.randrange(1, 8))}
        if r.random() < 0.5:
            body["text"] = self._text()
        return json.dumps(body, ensure_ascii=r.random() < 0.5).encode("utf-8", r.choice(("surrogatepass", "replace")))

    def truncated_json(self) -> bytes:
        body = self.wrong_types()
        return body[: self._random.randrange(len(body))]

    def spliced_json(self) -> bytes:
        r, body = self._random, bytearray(self.wrong_types())
        for _ in range(r.randrange(1, 6)):
            place = r.randrange(len(body) + 1)
            literals = (
                b"NaN",
                b"-Infinity",
                b"1e999",
                b"9" * 5_000,
                b'"text":',
                b',"text":"x"',
                b"\\ud800",
                b"\\u0000",
            )
            body[place:place] = r.choice((*literals, b"//c\n", b"'", b",,", b"\xff", b"\xed\xa0\x80", b"\x00", b"}{"))
        return bytes(body)

    def deep(self) -> bytes:
        r = self._random
        depth = r.choice((99, 100, 101, 200, 1_000, self._longest))
        opening, closing = r.choice(((b"[", b"]"), (b'{"a":', b"}"), (b'[{"":', b"}]")))
        inside = opening * depth + b"1" + closing * r.choice((depth, depth, 0, depth // 2))
        return inside if r.random() < 0.2 else b'{"text": "NATO met in Japan.", "m": ' + inside + b"}"

    def repeated_keys(self) -> bytes:
        r = self._random
        pairs = ", ".join(f'"{r.choice(("text", "a", "id", "title"))}": "{n}"' for n in range(self._count() // 10 + 1))
        return f"{{{pairs}}}".encode()

    def markup(self) -> bytes:
        r = self._random
        tags = ("p", "div", "table", "td", "a", "svg", "template", "select", "noscript", "article", "h1", "meta", "ul")
        parts = ["<html><body>"] if r.random() < 0.5 else []
        for _ in range(r.randrange(1, 40)):
            tag = r.choice(tags)
            shape = r.choice(
                ("<{0}>", "</{0}>", "<{0} a='{1}'>", "<{0} {1}", "<{0}><!--{1}-->", "<{0}>{1}</{0}>", "{1}")
            )
            parts.append(shape.format(tag, self._text()[:300]))
        return "".join(parts).encode("utf-8", "replace")

    def markup_bomb(self) -> bytes:
        r, count = self._random, self._count()
        bombs = (
            "<div>" * count + "text" + "</div>" * count,
            "<p>" + "<b><i>" * (count // 2) + "text",
            "<p>" + "<br>" * count + "text",
            "<p " + "a='1' " * (count // 2) + ">text</p>",
            "<p>" + "&lt;" * count + "</p>",
            "<p>" + "&#65;" * count,
            "<p>" + "&#x110000;&#0;&#xd800;" * (count // 8) + "text",
            "<table>" + "<tr><td>" * (count // 4) + "cell",
            "<ul>" + "<li>x" * count,
            "<p>one</p>" * (count // 4),
            "<!DOCTYPE x [<!ENTITY a 'b'><!ENTITY c '&a;&a;&a;&a;&a;&a;&a;&a;'>]><p>&c;</p>" * (count // 200 + 1),
            "<script>" + "var a = '<p>';" * (count // 8) + "</script><p>text</p>",
            "<article><h1>t</h1>" + "<figure><figcaption>x</figcaption></figure>" * (count // 30) + "<p>text</p>",
        )
        return r.choice(bombs).encode()

    def run(self) -> bytes:
        r = self._random
        first, second = r.choice(RUNS), r.choice(RUNS)
        shapes = (first * self._count(), (first + second) * (self._count() // 2), first * self._count() + second)
        body = r.choice((*shapes, "NATO met in Japan.\n" + first * self._count() + "\n" + second))
        body = body[: 4 * self._longest]
        if r.random() < 0.3:
            return json.dumps({r.choice(("text", "html", "title", "url", "id", "published_at")): body}).encode()
        return body.encode("utf-8", "replace")

    def combining(self) -> bytes:
        r = self._random
        marks = "".join(r.choices("\u0300\u0301\u0327\u0489\u20dd\u1ab0\u05b0\u0345\u0f71", k=9))
        return (r.choice("aеї ") + marks * (self._count() // 4) + " text").encode()

    def text(self) -> bytes:
        return self._text().encode("utf-8", self._random.choice(("replace", "surrogatepass")))

    def other_charset(self) -> bytes:
        r = self._random
        text = r.choice(_samples()).decode("utf-8", "replace")[: r.randrange(1, 1_500)]
        body = text.encode(r.choice(CHARSETS), "replace")
        return body if r.random() < 0.6 else body[r.randrange(3) :] + r.choice(_samples())[: r.randrange(200)]

    def random_bytes(self) -> bytes:
        r = self._random
        prefixes = (
            b"",
            b"\xff\xfe",
            b"\xfe\xff",
            b"\xef\xbb\xbf",
            b"\x00\x00\xfe\xff",
            b"{",
            b"<html>",
            b"%PDF",
            b"\x1f\x8b",
        )
        return r.choice(prefixes) + r.randbytes(min(self._count(), 20_000))

    def mutated(self) -> bytes:
        r = self._random
        body = bytearray(r.choice(_samples()))
        for _ in range(r.randrange(1, 12)):
            start, length = r.randrange(len(body) + 1), r.randrange(1, 60)
            kind = r.randrange(6)
            if kind == 0:
                del body[start : start + length]
            elif kind == 1:
                body[start:start] = r.randbytes(length)
            elif kind == 2:
                body[start:start] = body[start : start + length] * r.randrange(1, 9)
            elif kind == 3:
                other = r.choice(_samples())
                place = r.randrange(len(other))
                body[start:start] = other[place : place + length]
            elif kind == 4:
                body[start:start] = r.choice(ODD).encode("utf-8", "surrogatepass") * r.randrange(1, 20)
            elif start < len(body):
                body[start] ^= 1 << r.randrange(8)
        return bytes(body)

    def mutated_mime(self) -> bytes:
        return self.mutated()

    def blank(self) -> bytes:
        return self._random.choice(
            (b"", b" ", b"\n", b"\x00", b"{}", b"[]", b"null", b'""', b"0", b"<p></p>", b"\xc2\xa0")
        )


MAKERS: dict[str, Callable[[Generator], bytes]] = {
    maker.__name__: maker
    for maker in (
        Generator.wrong_types,
        Generator.truncated_json,
        Generator.spliced_json,
        Generator.deep,
        Generator.repeated_keys,
        Generator.markup,
        Generator.markup_bomb,
        Generator.run,
        Generator.combining,
        Generator.text,
        Generator.other_charset,
        Generator.random_bytes,
        Generator.mutated,
        Generator.mutated_mime,
        Generator.blank,
    )
}


def fuzzed(seed: int, count: int) -> Iterator[Fuzzed]:
    """Yield the first `count` records of a seed."""
    generator = Generator(seed)
    return (generator.record(number) for number in range(count))


@dataclass
class Findings:
    """What one process saw; a finding names the record by seed and number, so that it can be made again."""

    done: int = 0
    prepared: int = 0
    dead: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    slowest: list[tuple[float, str]] = field(default_factory=list)
    memory: dict[int, float] = field(default_factory=dict)
    """MiB of resident memory after so many records."""


def wrong_with(record: Fuzzed, out: Outgoing) -> str | None:
    """Return what is wrong with the outcome of a record; None where it is as promised."""
    if out.reason is DeadLetterReason.ENRICHER_FAILED:
        said = dict(out.headers)
        stack = (said["__connect.errors.exception.stacktrace"] or b"").decode()
        return "unforeseen: " + stack.strip().rpartition("\n")[2] + "; " + "; ".join(re.findall(r"File .*", stack)[-3:])
    if out.reason:
        if (out.key, out.value) != (record.key, record.value):
            return "the dead letter is not the original"
        if not {name for name, _ in record.headers} <= {name for name, _ in out.headers}:
            return "the dead letter lacks headers of the original"
        return None
    if out.value is None or out.key is None:
        return "an event without key or value"
    event = PreparedEvent.model_validate_json(out.value)
    if not event.article.text.strip() or "\x00" in event.article.text:
        return f"an event with the text {event.article.text[:40]!r}"
    return None


def try_records(seed: int, count: int, samples: frozenset[int], at: Any = None) -> Findings:
    """Feed `prepare` with the records of a seed; `at` is a shared number that says which one is at work."""
    line = loaded_line()
    found = Findings()
    for number, record in enumerate(fuzzed(seed, count)):
        if at is not None:
            at.value = number
        began = time.perf_counter()
        out = prepared(line, record, number)
        took = time.perf_counter() - began
        found.done += 1
        found.kinds[record.kind] += 1
        name = f"seed {seed} number {number} ({record.kind}, {len(record.value)} bytes)"
        if out.reason:
            found.dead[out.reason.value] += 1
        else:
            found.prepared += 1
        if (wrong := wrong_with(record, out)) and len(found.wrong) < 200:
            found.wrong.append(f"{name}: {wrong}")
        found.slowest = sorted([*found.slowest, (took, name)], reverse=True)[:5]
        if found.done in samples:
            found.memory[found.done] = psutil.Process().memory_info().rss / 2**20
    return found


def loaded_line() -> Line:
    """Return the line with its first stage loaded."""
    line = newsflow_line(Settings())
    line.load(line.stages[:1])
    return line


def prepared(line: Line, record: Fuzzed, number: int) -> Outgoing:
    """Return what the line's first stage makes of a record."""
    incoming = Incoming("articles.raw", 0, number, 1_700_000_000_000, record.key, record.value, record.headers)
    return process(line, line.stages[0], incoming, 16_777_216 - DEAD_LETTER_HEADERS)


def _child(results: Any, at: Any, seed: int, count: int, samples: frozenset[int]) -> None:
    results.put((seed, try_records(seed, count, samples, at)))


def try_in_processes(seeds: list[int], count: int, samples: frozenset[int], limit: float) -> list[Findings]:
    """Do so in a process per seed; one record for longer than `limit` seconds is a finding and ends its process."""
    # Fresh interpreters: a fork would inherit the threads' locks of whoever runs a line in this process.
    context = multiprocessing.get_context("spawn")
    results: Any = context.Queue()
    places = {seed: context.Value("q", -1, lock=False) for seed in seeds}
    children = {
        seed: context.Process(target=_child, args=(results, places[seed], seed, count, samples), daemon=True)
        for seed in seeds
    }
    seen = {seed: (-1, time.monotonic() + 60) for seed in seeds}
    found: dict[int, Findings] = {}
    for child in children.values():
        child.start()
    while len(found) < len(seeds):
        time.sleep(0.2)
        while not results.empty():
            seed, findings = results.get()
            found[seed] = findings
        for seed, child in children.items():
            if seed in found:
                continue
            at = places[seed].value
            if at != seen[seed][0]:
                seen[seed] = (at, time.monotonic())
            hangs = time.monotonic() - seen[seed][1] > limit
            if hangs or (child.exitcode not in (None, 0)):
                how = f"took longer than {limit:g} s" if hangs else f"ended the process with {child.exitcode}"
                child.kill()
                found[seed] = Findings(done=at, wrong=[f"seed {seed} number {at}: {how}"])
    return [found[seed] for seed in seeds]


def main() -> None:
    seed, number = int(sys.argv[1]), int(sys.argv[2])
    record = Generator(seed).record(number)
    out = prepared(loaded_line(), record, number)
    sys.stdout.write(
        f"{record.kind} {record.key!r} {record.headers!r}\n{record.value!r}\n\n{out.reason} {out.value!r}\n"
    )
    sys.stdout.write(f"{wrong_with(record, out)}\n")


if __name__ == "__main__":
    main()
