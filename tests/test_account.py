"""The checker itself: fed topics with a fault in them, it must report that fault and nothing else."""

import json

import pytest

from tests.account import Account, Record, judge

NAMES = ["a#0", "b#1", "a#2", "b#3", "a#4"]
DELETED = "b#3"
TRACED = {"trace-b#3": DELETED, "trace-x": "x#5"}


def event(name: str, text: str = "as ever") -> Record:
    key = name.partition("#")[0].encode()
    return key, json.dumps({"article": {"id": name, "text": text}}).encode(), {}


def letter(name: str) -> Record:
    return name.partition("#")[0].encode(), json.dumps({"id": name}).encode(), {"newsflow.reason": b"empty"}


TOMBSTONE: Record = (b"b", None, {"traceparent": b"trace-b#3"})
ENRICHED = [event("a#0"), event("a#2"), event("b#1"), TOMBSTONE]
DEAD = [letter("a#4")]


def judged(enriched: list[Record], dead: list[Record], replayed: tuple[str, ...] = ()) -> Account:
    return judge(enriched, dead, NAMES, {DELETED}, TRACED, replayed)


def faults(account: Account) -> dict[str, object]:
    names = ("lost", "tombstones_lost", "doubled", "order", "differing")
    return {name: found for name in names if (found := getattr(account, name))}


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    found = judged(ENRICHED, DEAD)
    assert found == Account(published=5, enriched=3, dead=1, tombstones=1)
    assert found.clean and found.complete


def test_keys_may_overtake_each_other() -> None:
    assert judged([event("b#1"), TOMBSTONE, event("a#0"), event("a#2")], DEAD).clean


@pytest.mark.parametrize("name", ["a#0", "a#2", "b#1"])
def test_a_lost_article(name: str) -> None:
    found = judged([record for record in ENRICHED if record != event(name)], DEAD)
    assert faults(found) == {"lost": {name}}
    assert not found.clean and not found.complete


def test_a_lost_dead_letter() -> None:
    assert faults(judged(ENRICHED, [])) == {"lost": {"a#4"}}


def test_a_lost_tombstone() -> None:
    found = judged(ENRICHED[:3], DEAD)
    assert faults(found) == {"tombstones_lost": {DELETED}}
    assert not found.clean and not found.complete


def test_a_doubled_article() -> None:
    found = judged([*ENRICHED, event("a#2")], DEAD)
    assert faults(found) == {"doubled": {"a#2": 2}}
    assert not found.clean and not found.complete


def test_a_doubled_tombstone() -> None:
    assert faults(judged([*ENRICHED, TOMBSTONE], DEAD)) == {"doubled": {DELETED: 2}}


def test_an_article_on_both_topics_is_doubled() -> None:
    assert faults(judged(ENRICHED, [*DEAD, letter("a#0")])) == {"doubled": {"a#0": 2}}


def test_a_dead_letter_twice_is_doubled() -> None:
    assert faults(judged(ENRICHED, DEAD * 2)) == {"doubled": {"a#4": 2}}


def test_a_loss_is_seen_although_a_double_makes_the_count_right() -> None:
    found = judged([event("a#0"), event("a#0"), event("b#1"), TOMBSTONE], DEAD)
    assert found.complete
    assert faults(found) == {"lost": {"a#2"}, "doubled": {"a#0": 2}}


def test_versions_out_of_order() -> None:
    assert faults(judged([event("a#2"), event("a#0"), event("b#1"), TOMBSTONE], DEAD)) == {"order": ["a"]}


def test_a_tombstone_before_the_version_that_it_deletes() -> None:
    assert faults(judged([event("a#0"), event("a#2"), TOMBSTONE, event("b#1")], DEAD)) == {"order": ["b"]}


def test_a_version_is_a_number() -> None:
    names = [f"a#{number}" for number in range(11)]
    assert judge(map(event, names), [], names).clean


def test_differing_bytes() -> None:
    found = judged([*ENRICHED[:3], event("b#1", "otherwise"), TOMBSTONE], DEAD)
    assert faults(found) == {"doubled": {"b#1": 2}, "differing": ["b#1"]}


def test_a_stranger_makes_the_count_wrong() -> None:
    for stranger in (event("c#9"), (b"c", None, {}), (None, b"{", {}), (None, b"[]", {})):
        assert not judged([*ENRICHED, stranger], DEAD).complete


def test_an_article_that_came_out_as_a_tombstone_is_lost() -> None:
    found = judged([(b"a", None, {}), *ENRICHED[1:]], DEAD)
    assert faults(found) == {"lost": {"a#0"}}


def test_an_unreadable_dead_letter_is_known_by_its_trace() -> None:
    unreadable: Record = (b"x", b"{", {"traceparent": b"trace-x"})
    assert judge([], [unreadable], ["x#5"], (), TRACED).clean
    assert faults(judge([], [unreadable], ["x#5"])) == {"lost": {"x#5"}}


class TestReplay:
    """`a#4` failed, was dead-lettered, and came through when it was replayed."""

    def test_once_on_each_topic_is_right(self) -> None:
        found = judged([*ENRICHED, event("a#4")], DEAD, ("a#4",))
        assert found.clean and found.complete

    def test_the_replayed_may_come_after_later_versions(self) -> None:
        found = judged([event("a#2"), event("b#1"), TOMBSTONE, event("a#4"), event("a#0")], [letter("a#0")], ("a#0",))
        assert faults(found) == {}

    def test_not_enriched_is_lost(self) -> None:
        assert faults(judged(ENRICHED, DEAD, ("a#4",))) == {"lost": {"a#4"}}

    def test_never_dead_is_lost(self) -> None:
        assert faults(judged([*ENRICHED, event("a#4")], [], ("a#4",))) == {"lost": {"a#4"}}

    def test_enriched_twice_and_never_dead(self) -> None:
        found = judged([*ENRICHED, event("a#4"), event("a#4")], [], ("a#4",))
        assert found.complete
        assert faults(found) == {"lost": {"a#4"}, "doubled": {"a#4": 2}}

    def test_dead_twice_is_doubled(self) -> None:
        assert faults(judged([*ENRICHED, event("a#4")], DEAD * 2, ("a#4",))) == {"doubled": {"a#4": 3}}

    def test_the_others_of_its_key_stay_in_order(self) -> None:
        assert faults(judged([event("a#2"), event("a#0"), *ENRICHED[2:], event("a#4")], DEAD, ("a#4",))) == {
            "order": ["a"]
        }

    def test_the_replayed_stay_in_order_among_themselves(self) -> None:
        enriched = [event("a#2"), event("a#0"), event("b#1"), TOMBSTONE, event("a#4")]
        assert faults(judged(enriched, [letter("a#0"), letter("a#2"), *DEAD], ("a#0", "a#2", "a#4"))) == {
            "order": ["a"]
        }
