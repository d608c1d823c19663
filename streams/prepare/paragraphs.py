"""Paragraphs that are not the article: found by rules that would rather miss one than take a real sentence.

Each rule looks at a whole paragraph and has to account for all of it, so that an article about advertising or one
that says "Напомним, …" is left alone.
"""

import re
from collections.abc import Collection, Sequence
from itertools import pairwise

from schemas import RemovalReason, RemovedParagraph

_LONG_ENOUGH_TO_REPEAT = 40
"""Shorter paragraphs (refrains, answers such as "— Да.") may well stand twice."""
_LONG_LINE = 60
"""Up to this length a paragraph without a full stop may be a line of a song, a list or a table."""
_SPOKEN_TWICE = 250
"""An interview asks its questions, and a crowd shouts its slogans, more than once; up to this length."""
_CAPTION_LENGTH = 150
_LINE_LENGTH = 250

_QUOTES = str.maketrans(dict.fromkeys('«»„“”‟"″', '"') | dict.fromkeys("‘’‚‛'`′ʼ", "'") | dict.fromkeys("–—−‑‐", "-"))

_DURATION = re.compile(r"(?:\d{1,2}:)?[0-5]?\d:[0-5]\d", re.ASCII)
_UPPER = "A-ZА-ЯЁІЇЄҐЎ"
# Not after an initial: "А. Иванов" is no two sentences.
_SENTENCE_BREAK = re.compile(rf"(?:(?<!\b[{_UPPER}])\.|[!?…])[\"»”)]?\s+[\"«“(—–-]?\s?[{_UPPER}]")
_NO_SENTENCE_END = re.compile(r"[\w)][»”\"]?$")
_SENTENCE_END = re.compile(r"[.!?…][»”\")]?$")
_EXCLAIMED = re.compile(r"[!?…]$")
_TIMETABLE = re.compile(r"\d{1,2}[:.]\d\d\b", re.ASCII)
_STARTS_WITH_TIME = re.compile(r"\W{0,3}\d{1,2}[:.]\d\d(?!\d)", re.ASCII)
_ROUND_CLOCK_TIME = re.compile(r"(?:0?[5-9]|1\d|2[0-3]):[0-5][05]", re.ASCII)
"""What a schedule has ("19:30") and a video's length seldom is."""
_VIDEO_CUE = re.compile(r"\b(?:видео|відео|video)", re.I)
_GOES_ON = re.compile(r"[:—–,-]|[a-zа-яёіїєґў]")
_SPOKEN = re.compile(rf"[—–-].*|[\"'«“„][^»”]*[\"'»”][.!?…]?|[{_UPPER}][\w .]{{0,30}}:\s.*")
_ASKED = re.compile(r"\?[»”\")]?$")

_CAPTION_LABEL = re.compile(
    r"(?:на (?:фото|видео|відео)|фото|видео|відео|photo|video|watch|in (?:the )?photo)\s*:\s*(.+)", re.I
)
_PHOTO_LABEL = re.compile(r"(?:фото(?:графия|графія)?|photo(?:graph)?s?|image|picture)\s*[:/|]\s*(.+)", re.I)
_AGENCY = (
    r"(?:getty(?: images)?|reuters|рейтер|afp|ap|associated press|epa(?:-efe)?|shutterstock|depositphotos"
    r"|unian|униан|уніан"
    r"|риа новости|ria novosti|тасс|tass|укринформ|укрінформ|ukrinform|bloomberg|unsplash|pixabay|pexels"
    r"|xinhua|dpa|anadolu"
    r"|imago|alamy|istock|scanpix|east news|nurphoto|zuma|upi)"
)
_NAME = rf"[{_UPPER}][\w.'’-]*"
_CREDIT = re.compile(
    rf"(?:{_AGENCY}(?: photos?| images)?"
    r"|(?:https?://)?[\w-]+(?:\.[\w-]+)*\.(?:com|net|org|ru|ua|by|info|me|media|news|eu|uk)(?:/\S*)?"
    r"|скриншот(?: видео)?|скріншот(?: відео)?|архив(?:ное)?(?: фото)?|архівне(?: фото)?|иллюстративное(?: фото)?"
    r"|ілюстративне(?: фото)?|(?:из )?(?:открытых источников|соцсетей)|(?:з )?(?:відкритих джерел"
    r"|соцмереж)|соцсети|соцмережі"
    r"|(?:прес-|пресс-|пресс?)служб[аы](?: \S+){0,6}|telegram(?:-канал)?(?: \S+){0,4}|facebook(?: \S+){0,4}"
    r"|instagram(?: \S+){0,4}|twitter(?: \S+){0,4}|courtesy of .{1,60}"
    r")",
    re.I,
)
_NAMES = re.compile(rf"{_NAME}(?:\s(?:(?:de|da|di|van|von|der|den|la|le|del|bin|al|де|ван|фон)\s)?{_NAME}){{0,3}}")
"""Apart from the patterns that ignore case: only the capitals tell "Reuters / Jane Doe" from a headline."""
_SEPARATED = re.compile(r"\s*[/,|©]\s*|\s+(?:via|for|on|для)\s+")
_SIGNED = re.compile(
    r"(?:©|\(c\)\s)\s*(?:photo\s*:|фото\s*:)?(.+)|photo(?:graph)?(?:s|ed)? by (.+)"
    r"|(?:image|photo|picture)s? credits?\s*:\s*(.+)",
    re.I,
)
_YEAR = re.compile(r"^(?:19|20)\d\d(?:[–-](?:19|20)?\d\d)?(?:,? |$)")
_RIGHTS = re.compile(r"\W{0,3}(?:all rights reserved|все права защищены|[ув]сі права захищені)$", re.I)
_AGENCY_ALONE = re.compile(rf"{_AGENCY}(?:\s+photos?|\s+images)?", re.I)
_SHARED_CREDIT = re.compile(r"\s*[/|]\s*|\s+via\s+")
_ADVERTISEMENT = re.compile(
    r"реклама(?: 1[68]\+)?|на правах реклам[иы]|advertisements?|advertising|sponsored(?: content| post)?|ad|promoted"
    r"|партн[её]рский материал|партнерський матеріал|спонсорский контент|спонсорський контент|story continues below.*"
    r"|continue reading below|article continues (?:after|below).*",
    re.I,
)
_OURS = (
    r"(?:наш\w*|нас|нам|нами|канал\w*|telegram|телеграм\w*|youtube|viber|whatsapp|рассылк\w*|розсилк\w*"
    r"|newsletters?|channel"
    r"|us|facebook|instagram|twitter|updates|alerts)"
)
_SUBSCRIPTION = re.compile(
    r"(?:хотите [^.?!]{1,60}\? )?(?:не забудьте |please |to get [^.,]{1,60}, )?"
    r"(?:подписывайтесь|подпишитесь|подпишись|подписывайся|подписаться|підписуйтес[ья]|підпишіться|підпишись"
    r"|підписуйся|підписатис[ья]|присоединяйтесь|присоединяйся|приєднуйтес[ья]|приєднуйся"
    r"|долучайтес[ья]|читайте нас|следите за нами|слідкуйте за нами|стежте за нами|subscribe|follow us"
    r"|sign up|join our|join us on"
    rf"|get our)\b(?=.*\b{_OURS}\b).*",
    re.I,
)
_REPORTED = re.compile(
    r",\s*(?:[—–-]\s*)?(?:сказа|заяви|заявля|призва|призыва|говор|пиш|написа|отмети|добави|сообщи|обрати|закли|сказав"
    r"|говорить|наголоси|дода|повідоми|зверну|said|says|told|tells|urge|added|adds|wrote|writes)",
    re.I,
)
"""Somebody is quoted: what he asks for is news."""
_ADDRESSED = re.compile(
    rf"\b{_OURS}\b|\b(?:подпис|підпис|присоедин|приєдн|долуч|следите|слідкуйте|стежте|читайте"
    r"|subscri|unsubscri|sign up|join|follow|story suggestion)",
    re.I,
)
_SHARE = re.compile(
    r"(?:поделиться|поделитесь|поділитися|поділіться|поширити|share)"
    r"(?:\s+(?:поделиться|поділитися|поширити|share|this|эт\w+|цією|цим|the|с друзьями|з друзями|на|в|у|on|via"
    r"|with friends|via email"
    r"|стат\w+"
    r"|новост\w+|новин\w+|ссылк\w+"
    r"|посиланням|публикаци\w+|article|story|post|page|link|facebook|twitter|x|telegram|whatsapp|linkedin"
    r"|вконтакте|фейсбук\w*"
    r"|телеграм\w*|соцсетях|соцмережах|email|e-mail))*",
    re.I,
)
_RELATED = re.compile(
    r"(?:читайте|читай|смотрите|смотри|дивіться|дивись|читать|слушайте|слухайте) (?:также|також|ещ[её]|ще"
    r"|по теме|за темою|по темі)"
    r"\b(?!\s*[—–-]).*"
    r"|(?:по теме|по темі|за темою|также по теме|також за темою|материалы по теме|матеріали за темою"
    r"|похожие новости|схожі новини"
    r"|related(?: articles?| stor(?:y|ies)| news| coverage)?|more on this(?: story)?|see also|also read"
    r"|read also|read more|read next"
    r"|don't miss|подробнее|детальніше|докладніше)\s*(?:[:>»→—–].*)?",
    re.I,
)
_RELATED_LABEL = re.compile(r"[^:]{1,30}:\s")
_BACKGROUND = re.compile(
    r"\s(?:Напомним|Нагадаємо|Ранее|Раніше|Как сообщал|Як повідомлял|Earlier|As reported|Previously)\b"
)
"""How the paragraph begins that a scraper has glued to the link."""
_CRUMB = r"[^›»>/→|•]{1,40}"
_NAVIGATION = re.compile(
    rf"(?:главная|головна|home|homepage|новости|новини|news)(?:\s*[›»>→|•]\s*{_CRUMB}|\s+/\s+{_CRUMB}){{1,6}}"
    r"|на главную|на головну|наверх|нагору|back to top|skip to (?:main )?content|перейти к (?:основному )?содержимому"
    r"|перейти до (?:основного )?вмісту",
    re.I,
)
_TAG = r"[^\s,;|#.!?]+(?: [^\s,;|#.!?]+){0,4}"
_TAGS = re.compile(
    r"(?:теги|тэги|метки|мітки|ключевые слова|ключові слова|tags|keywords|filed under)\s*:\s*"
    rf"(?:{_TAG}(?:\s*[,;|]\s*{_TAG}){{1,30}}|#{_TAG}(?:[\s,;|]+#{_TAG}){{0,30}})",
    re.I,
)
"""Two at least: "Tags: the new status symbol" is a headline."""
_OPENING = {"(": ")", "[": "]"}
_POINTER = re.compile(r"[►▶▸☞👉➡→📌🔔📢📷📸🎥✅❗⚡*\ufe0f\s]+")
"""Signs and emoji that sites set before what they want one to press."""

_WITHOUT_CONTENT = (RemovalReason.ADVERTISEMENT, RemovalReason.MEDIA_DURATION, RemovalReason.SHARE_PROMPT)
_BOILERPLATE = (*_WITHOUT_CONTENT, RemovalReason.NAVIGATION, RemovalReason.SUBSCRIPTION_PROMPT)


def separate(text: str, title: str | None, captions: Collection[str] = ()) -> tuple[str, tuple[RemovedParagraph, ...]]:
    """Return the article's text and what was taken out of it, in its order.

    Args:
        text: cleaned text, a line per paragraph.
        title: the cleaned title, None where there is none.
        captions: the cleaned lines that the page itself calls captions.
    """
    lines = text.split("\n") if text else []
    reasons = [_by_itself(line) or (RemovalReason.MEDIA_CAPTION if line in captions else None) for line in lines]
    _mark_tags(lines, reasons)
    _mark_duration(lines, reasons)
    _keep_one(reasons)
    _mark_title(lines, reasons, title)
    _mark_repeats(lines, reasons)
    kept = "\n".join(line for line, reason in zip(lines, reasons, strict=True) if reason is None)
    removed = tuple(
        RemovedParagraph(reason=reason, text=line)
        for line, reason in zip(lines, reasons, strict=True)
        if reason is not None
    )
    return kept, removed


def folded(paragraph: str) -> str:
    """Return what two copies of a paragraph have in common: case, quote marks, dashes and spaces do not count."""
    return " ".join(paragraph.translate(_QUOTES).casefold().split())


def _by_itself(line: str) -> RemovalReason | None:
    """Return why the paragraph is not part of any article, None where it may be."""
    if len(line) > _LINE_LENGTH:
        return None
    line = _unwrapped(line)
    bare = line.strip(" .!…:")
    if _ADVERTISEMENT.fullmatch(bare):
        return RemovalReason.ADVERTISEMENT
    if _NAVIGATION.fullmatch(bare):
        return RemovalReason.NAVIGATION
    if _SHARE.fullmatch(bare):
        return RemovalReason.SHARE_PROMPT
    if _is_photo_credit(bare):
        return RemovalReason.PHOTO_CREDIT
    if _is_subscription_prompt(line):
        return RemovalReason.SUBSCRIPTION_PROMPT
    if _is_related_link(line):
        return RemovalReason.RELATED_LINK
    if _CAPTION_LABEL.fullmatch(line) and not _SENTENCE_BREAK.search(line):
        return RemovalReason.MEDIA_CAPTION
    return None


def _unwrapped(line: str) -> str:
    """Return the paragraph without the brackets around the whole of it and the signs before it."""
    if pointer := _POINTER.match(line):
        line = line[pointer.end() :]
    closing = _OPENING.get(line[:1])
    inner = line.rstrip(".")[1:-1]
    if closing and line.rstrip(".").endswith(closing) and line[0] not in inner and closing not in inner:
        return inner.strip()
    return line


def _is_subscription_prompt(line: str) -> bool:
    """Return whether every sentence of the line asks the reader to follow the paper."""
    if not _SUBSCRIPTION.fullmatch(line) or _REPORTED.search(line):
        return False
    # One letter of the next sentence belongs to a break.
    starts = [found.end() - 1 for found in _SENTENCE_BREAK.finditer(line)]
    return all(_ADDRESSED.search(line[start:stop]) for start, stop in pairwise([*starts, len(line)]))


def _is_related_link(line: str) -> bool:
    """Return whether the line is a link to another article and nothing else."""
    if len(line) > _CAPTION_LENGTH or not _RELATED.fullmatch(line) or _BACKGROUND.search(line):
        return False
    # After a label a headline may have two sentences; it still ends without a full stop.
    is_labelled_headline = _RELATED_LABEL.match(line) is not None and not line.endswith((".", "…"))
    return is_labelled_headline or not _SENTENCE_BREAK.search(line)


def _is_photo_credit(line: str) -> bool:
    """Return whether the line names who took a picture: "Фото: REUTERS", "AP Photo / Jane Doe", "Getty Images"."""
    line = _RIGHTS.sub("", line)
    if len(line) > _CAPTION_LENGTH or _SENTENCE_BREAK.search(line):
        return False
    if _AGENCY_ALONE.fullmatch(line):
        return True
    if named := _PHOTO_LABEL.fullmatch(line) or _SIGNED.fullmatch(line):
        return _are_credits(next(filter(None, named.groups())))
    shared = _SHARED_CREDIT.split(line)
    return len(shared) > 1 and any(map(_AGENCY_ALONE.fullmatch, shared)) and _are_credits(line)


def _are_credits(text: str) -> bool:
    """Return whether the text lists names, agencies and the like, and nothing else."""
    parts = [part for part in _SEPARATED.split(_YEAR.sub("", text.strip(" ()."))) if part]
    return bool(parts) and all(_CREDIT.fullmatch(part) or _NAMES.fullmatch(part) for part in parts)


def _mark_tags(lines: Sequence[str], reasons: list[RemovalReason | None]) -> None:
    """Mark the article's tags; what looks like them above another paragraph may be a line of it."""
    for i in range(len(lines) - 1, -1, -1):
        if reasons[i] is None and len(lines[i]) <= _LINE_LENGTH and _TAGS.fullmatch(_unwrapped(lines[i])):
            reasons[i] = RemovalReason.NAVIGATION
        elif reasons[i] is None and _SENTENCE_END.search(lines[i]):
            return


def _keep_one(reasons: list[RemovalReason | None]) -> None:
    """Let the first line that says something stay where all would go: it is all that the article is."""
    if any(reason is None for reason in reasons):
        return
    for useless in (_BOILERPLATE, _WITHOUT_CONTENT):
        for i, reason in enumerate(reasons):
            if reason not in useless:
                reasons[i] = None
                return


def _mark_duration(lines: Sequence[str], reasons: list[RemovalReason | None]) -> None:
    """Mark the length of a video and the caption beside it.

    Only where the article has a single time at the start of a line: several are the clock of a live blog, a schedule or
    the results of a race.
    """
    timed = [i for i, line in enumerate(lines) if _STARTS_WITH_TIME.match(line)]
    if len(timed) != 1 or len(lines[timed[0]]) > 8 or not _DURATION.fullmatch(lines[timed[0]]):
        return
    i, last = timed[0], len(lines) - 1
    before, after = (lines[i - 1] if i > 0 else ""), (lines[i + 1] if i < last else "")
    if _GOES_ON.match(after) or before.endswith((":", "—", "–", "-", ",")):
        return
    cue = any(_VIDEO_CUE.search(line) and len(line) <= _CAPTION_LENGTH for line in (before, after))
    if not cue and not _is_length(lines[i], before, after):
        return
    reasons[i] = RemovalReason.MEDIA_DURATION
    # The first paragraph is the lead, whatever follows it; a line after the video is its caption only at the end, where
    # nothing else can be: elsewhere it may be the next section's heading.
    for neighbour in (i - 1, i + 1):
        if not 0 < neighbour <= last or reasons[neighbour] is not None or not _is_caption(lines[neighbour]):
            continue
        if _VIDEO_CUE.search(lines[neighbour]) or i == last or (i > 0 and neighbour == last):
            reasons[neighbour] = RemovalReason.MEDIA_CAPTION
            return


def _is_length(time: str, before: str, after: str) -> bool:
    """Return whether a time that nothing calls a video is a video's length all the same."""
    if not before:
        return time.startswith(("0:", "00:"))
    if _ROUND_CLOCK_TIME.fullmatch(time):
        return False
    if not after:
        return True
    # In the middle of the text it has to stand between whole sentences, or be no time of day.
    between_sentences = _SENTENCE_END.search(before) is not None and _SENTENCE_END.search(after) is not None
    return between_sentences or time.startswith(("0:", "00:"))


def _is_caption(line: str) -> bool:
    """Return whether the line reads like a heading: short, and without a sentence's full stop."""
    if len(line) > _CAPTION_LENGTH or line[0] in '«“"—–-':
        return False
    if _NO_SENTENCE_END.search(line):
        return True
    return bool(_EXCLAIMED.search(line)) and not _SENTENCE_BREAK.search(line)


def _mark_title(lines: Sequence[str], reasons: list[RemovalReason | None], title: str | None) -> None:
    """Mark a first paragraph that only says the title again; not where it is all there is."""
    kept = [i for i, reason in enumerate(reasons) if reason is None]
    if title and len(kept) > 1 and folded(lines[kept[0]]).rstrip(". ") == folded(title).rstrip(". "):
        reasons[kept[0]] = RemovalReason.REPEATED_TITLE


def _mark_repeats(lines: Sequence[str], reasons: list[RemovalReason | None]) -> None:
    """Mark every copy of a paragraph but one.

    The one that stays is the first, except for a lead: editors pull a paragraph of the article up to its top, and what
    follows the paragraph further down refers to it ("Это …"), so there the copy at the top goes.
    """
    kept = [i for i, reason in enumerate(reasons) if reason is None]
    keys = [folded(lines[i]) for i in kept]
    places: dict[str, list[int]] = {}
    for place, key in enumerate(keys):
        if len(key) >= _LONG_ENOUGH_TO_REPEAT and not _is_said_twice(lines[kept[place]]):
            places.setdefault(key, []).append(place)
    for copies in places.values():
        if len(copies) == 1:
            continue
        stays = copies[1] if copies[0] == 0 and _is_pulled_up(keys, copies[1]) else copies[0]
        for place in copies:
            if place != stays:
                reasons[kept[place]] = RemovalReason.REPEATED_PARAGRAPH


def _is_said_twice(line: str) -> bool:
    """Return whether the paragraph may stand in an article twice: a question, an answer, a slogan, a programme."""
    if _TIMETABLE.match(line) or (len(line) <= _LONG_LINE and not _SENTENCE_END.search(line)):
        return True
    return len(line) <= _SPOKEN_TWICE and bool(_SPOKEN.fullmatch(line) or _ASKED.search(line))


def _is_pulled_up(keys: Sequence[str], second: int) -> bool:
    """Return whether the second copy of the first paragraph stands in the article's own flow.

    It does not at the very end (a closing teaser) nor where the whole article was pasted twice.
    """
    return second + 1 < len(keys) and keys[second + 1] != keys[1]
