"""Paragraphs that are not the article: found by rules that would rather miss one than take a real sentence.

Each rule looks at a whole paragraph and has to account for all of it, so that an article about advertising or one
that says "Напомним, …" is left alone.
"""

import re
from collections.abc import Callable, Sequence

from schemas import RemovalReason, RemovedParagraph

_LONG_ENOUGH_TO_REPEAT = 40
"""Shorter paragraphs (refrains, answers such as "— Да.") may well stand twice."""
_CAPTION_LENGTH = 150
_LINE_LENGTH = 250
_CLOCK_TIMES = 3
"""So many bare "12:45" are the clock times of a live blog, not the lengths of videos."""

_QUOTES = str.maketrans(dict.fromkeys('«»„“”‟"″', '"') | dict.fromkeys("‘’‚‛'`′ʼ", "'") | dict.fromkeys("–—−‑‐", "-"))

_DURATION = re.compile(r"(?:\d{1,2}:)?[0-5]?\d:[0-5]\d", re.ASCII)
_SENTENCE_BREAK = re.compile(r"[.!?…][\"»”)]?\s+[\"«“(—–-]?\s?[A-ZА-ЯЁІЇЄҐЎ]")
_NO_SENTENCE_END = re.compile(r"[\w)][»”\"]?$")
_EXCLAIMED = re.compile(r"[!?…]$")
_TIMETABLE = re.compile(r"\d{1,2}[:.]\d\d\b", re.ASCII)

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
_NAME = r"[A-ZА-ЯЁІЇЄҐЎ][\w.'’-]*"
_CREDIT = re.compile(
    rf"(?:{_AGENCY}|(?:https?://)?[\w-]+(?:\.[\w-]+)*\.(?:com|net|org|ru|ua|by|info|me|media|news|eu|uk)(?:/\S*)?"
    r"|скриншот(?: видео)?|скріншот(?: відео)?|архив(?:ное)?(?: фото)?|архівне(?: фото)?|иллюстративное(?: фото)?"
    r"|ілюстративне(?: фото)?|(?:из )?(?:открытых источников|соцсетей)|(?:з )?(?:відкритих джерел"
    r"|соцмереж)|соцсети|соцмережі"
    r"|(?:прес-|пресс-|пресс?)служб[аы](?: \S+){0,6}|telegram(?:-канал)?(?: \S+){0,4}|facebook(?: \S+){0,4}"
    r"|instagram(?: \S+){0,4}|twitter(?: \S+){0,4}|courtesy of .{1,60})",
    re.I,
)
_NAMES = re.compile(rf"{_NAME}(?:\s{_NAME}){{0,3}}")
_SEPARATED = re.compile(r"\s*[/,|©]\s*|\s+(?:via|for|для)\s+")
_CREDIT_LINE = re.compile(
    rf"(?:©\s*)?{_AGENCY}(?:\s+photo|\s+images)?(?:\s*[/|]\s*.{{1,60}})?|©.{{1,60}}"
    rf"|photo(?:graph)?(?:s|ed)? by .{{1,80}}|(?:image|photo|picture) credits?\s*:\s*.{{1,80}}"
    rf"|.{{1,60}}/\s*{_AGENCY}(?:\s+via\s+{_AGENCY})?",
    re.I,
)
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
    r"(?:подписывайтесь|подпишитесь|подписаться|підписуйтес[ья]|підпишіться|підписатися|присоединяйтесь"
    r"|приєднуйтес[ья]"
    r"|долучайтес[ья]|читайте нас|следите за нами|слідкуйте за нами|стежте за нами|subscribe|follow us"
    r"|sign up|join our|join us on"
    rf"|get our)\b(?=.*\b{_OURS}\b).*",
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
_CRUMB = r"[^›»>/→|•]{1,40}"
_NAVIGATION = re.compile(
    rf"(?:главная|головна|home|homepage|новости|новини|news)(?:\s*[›»>→|•]\s*{_CRUMB}|\s+/\s+{_CRUMB}){{1,6}}"
    r"|на главную|на головну|наверх|нагору|back to top|skip to (?:main )?content|перейти к (?:основному )?содержимому"
    r"|перейти до (?:основного )?вмісту",
    re.I,
)


def separate(text: str, title: str | None) -> tuple[str, tuple[RemovedParagraph, ...]]:
    """Return the article's text and what was taken out of it, in its order.

    Args:
        text: cleaned text, a line per paragraph.
        title: the cleaned title, None where there is none.
    """
    lines = text.split("\n") if text else []
    reasons: list[RemovalReason | None] = [_by_itself(line) for line in lines]
    _mark_durations(lines, reasons)
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
    bare = line.strip(" .!…:")
    if _ADVERTISEMENT.fullmatch(bare):
        return RemovalReason.ADVERTISEMENT
    if _NAVIGATION.fullmatch(bare):
        return RemovalReason.NAVIGATION
    if _SHARE.fullmatch(bare):
        return RemovalReason.SHARE_PROMPT
    if _is_photo_credit(bare):
        return RemovalReason.PHOTO_CREDIT
    if _SENTENCE_BREAK.search(line) and not _SUBSCRIPTION.match(line):
        return None
    rules: tuple[tuple[Callable[[str], object], RemovalReason], ...] = (
        (_RELATED.fullmatch, RemovalReason.RELATED_LINK),
        (_SUBSCRIPTION.fullmatch, RemovalReason.SUBSCRIPTION_PROMPT),
        (_CAPTION_LABEL.fullmatch, RemovalReason.MEDIA_CAPTION),
    )
    return next((reason for matches, reason in rules if matches(line)), None)


def _is_photo_credit(line: str) -> bool:
    """Return whether the line names who took a picture: "Фото: REUTERS", "AP Photo / Jane Doe", "Getty Images"."""
    if len(line) <= _CAPTION_LENGTH and (labelled := _PHOTO_LABEL.fullmatch(line)):
        parts = [part for part in _SEPARATED.split(labelled[1].strip(" ()")) if part]
        return all(_CREDIT.fullmatch(part) or _NAMES.fullmatch(part) for part in parts)
    return _CREDIT_LINE.fullmatch(line) is not None


def _mark_durations(lines: Sequence[str], reasons: list[RemovalReason | None]) -> None:
    """Mark the lengths of videos and the captions beside them."""
    durations = [i for i, line in enumerate(lines) if len(line) <= 8 and _DURATION.fullmatch(line)]
    if sum(lines[i].count(":") == 1 for i in durations) >= _CLOCK_TIMES:
        durations = [i for i in durations if lines[i].count(":") == 2]
    for i in durations:
        reasons[i] = RemovalReason.MEDIA_DURATION
    for i in durations:
        # The first paragraph is the lead, whatever follows it; a line after the video is its caption only at the end,
        # where nothing else can be: elsewhere it may be the next section's heading.
        for neighbour, allowed in ((i - 1, i - 1 > 0), (i + 1, i > 0 and i + 1 == len(lines) - 1)):
            if allowed and reasons[neighbour] is None and _is_caption(lines[neighbour]):
                reasons[neighbour] = RemovalReason.MEDIA_CAPTION
                break


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
        if len(key) >= _LONG_ENOUGH_TO_REPEAT and not _TIMETABLE.match(key):
            places.setdefault(key, []).append(place)
    for copies in places.values():
        if len(copies) == 1:
            continue
        stays = copies[1] if copies[0] == 0 and _is_pulled_up(keys, copies[1]) else copies[0]
        for place in copies:
            if place != stays:
                reasons[kept[place]] = RemovalReason.REPEATED_PARAGRAPH


def _is_pulled_up(keys: Sequence[str], second: int) -> bool:
    """Return whether the second copy of the first paragraph stands in the article's own flow.

    It does not at the very end (a closing teaser) nor where the whole article was pasted twice.
    """
    return second + 1 < len(keys) and keys[second + 1] != keys[1]
