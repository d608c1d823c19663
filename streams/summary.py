"""An enriched event for people: title or first words, language, entities with ids, topics with scores."""

from collections.abc import Sequence

import click

from schemas import EnrichedEvent, Topic

COLOURS = {"PER": "green", "LOC": "cyan", "ORG": "yellow"}
"""Terminal colour per entity type."""
FIRST_WORDS = 90
"""Characters of the text that stand for a missing title."""


def headline(event: EnrichedEvent) -> str:
    """Return the title, or the first words of the text in dots."""
    if event.article.title:
        return event.article.title
    text = event.article.text.replace("\n", " ")
    return text if len(text) <= FIRST_WORDS else text[:FIRST_WORDS].rsplit(" ", 1)[0] + " …"


def marked(event: EnrichedEvent) -> str:
    """Return the text with its mentions in the colours of their types."""
    text, parts, end = event.article.text, [], 0
    mentions = sorted((m.start, m.stop, COLOURS[e.type.value]) for e in event.entities for m in e.mentions)
    for start, stop, colour in mentions:
        parts += [text[end:start], click.style(text[start:stop], fg=colour, bold=True)]
        end = stop
    return "".join((*parts, text[end:]))


def _topics(topics: Sequence[Topic]) -> list[str]:
    """Return a line per topic, those of level 2 below their parents, with what speaks most for it."""
    lines = []
    for topic in topics:
        if topic.parent is None:
            lines.append(_topic(topic, "topic     "))
            lines += [_topic(child, "            ") for child in topics if child.parent == topic.code]
    return lines


def _topic(topic: Topic, lead: str) -> str:
    words = ", ".join(passage.text for passage in topic.evidence[:3])
    shown = click.style(f"  ({words})", dim=True) if words else ""
    return f"  {lead}{topic.score:.2f}  {topic.code}  {topic.name}{shown}"


def summarize(event: EnrichedEvent, *, text: bool = False) -> str:
    """Return several lines with terminal colours (`click.echo` drops them where there is no terminal).

    Args:
        event: The event.
        text: The whole text as well, its mentions marked.
    """
    article = event.article
    facts = f"{article.language or 'language unknown'}, {len(article.text)} characters, id {article.id}"
    lines = [click.style(headline(event), bold=True), f"  {click.style(facts, dim=True)}"]
    if article.removed:
        reasons = ", ".join(f"{part.reason.value}: {part.text[:40]!r}" for part in article.removed)
        lines.append(click.style(f"  removed   {reasons}", dim=True))
    if text:
        lines += ["", *(f"  {line}" for line in marked(event).split("\n")), ""]
    lines += _topics(event.topics)
    if event.main_event:
        happened = event.main_event
        kind = f"{happened.type} {happened.score:.2f}, " if happened.type else ""
        sentence = happened.sentence.text[:FIRST_WORDS]
        lines.append(f"  event     {kind}{happened.quad_class.replace('_', ' ')} {happened.quad_score:.2f}: {sentence}")
    for entity in sorted(event.entities, key=lambda e: -e.salience):
        name = getattr(entity.name, article.language or "en") or entity.mentions[0].normal
        where = f" {entity.country}" if entity.country else ""
        if entity.coordinates:
            where += f" {entity.coordinates.latitude:.2f}, {entity.coordinates.longitude:.2f}"
        known = entity.id + where if entity.linked else "not linked"
        colour = COLOURS[entity.type.value]
        kind = click.style(entity.type.value, fg=colour)
        lines.append(
            f"  {kind}       {len(entity.mentions):>2} x  {entity.salience:.3f}  {name}"
            f"  {click.style(known, dim=not entity.linked)}"
        )
    lines += [
        click.style(f"  warning   {warning.field}: {warning.reason} ({warning.value!r})", fg="red")
        for warning in article.warnings
    ]
    lines += [click.style(f"  skipped   {stage}: {reason}", fg="magenta") for stage, reason in event.skipped.items()]
    return "\n".join(lines)
