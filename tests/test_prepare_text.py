"""What `prepare` does to the text: characters put right, paragraphs that are not the article taken out."""

import time

import pytest

from streams.prepare.cleaning import clean, clean_line
from streams.prepare.paragraphs import separate

LEAD = "Совет утвердил план реконструкции набережной, сообщили в мэрии в пятницу."
BODY = [
    "Работы начнутся весной и продлятся два года, сказал подрядчик.",
    "По его словам, движение перекрывать не будут, а деревья сохранят.",
    "Напомним, прошлый план жители отвергли на слушаниях.",
]


def removed(*lines: str, title: str | None = None) -> list[tuple[str, str]]:
    text, taken = separate("\n".join(lines), title)
    assert sorted([*text.split("\n"), *(r.text for r in taken)]) == sorted(lines)
    return [(r.reason.value, r.text) for r in taken]


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("и\u0306", "й"),
        ("со\u00adвет", "совет"),
        ("со\u200bвет\ufeff\u2060", "совет"),
        ("10\u00a0000\u202f₽", "10 000 ₽"),
        ("a\u200fb\u202ec\u2066d", "abcd"),
        ("👩\u200d🚀 и\u200dли", "👩\u200d🚀 или"),
        ("а\r\nб\rв\u2028г\u2029д\x0bе\x0cж\x85з", "а\nб\nв\nг\nд\nе\nж\nз"),
        ("а \t б\n \n\n\tв ", "а б\nв"),
        ("&laquo;Совет&raquo;&nbsp;&mdash; &quot;да&quot; &#1103;", '«Совет» — "да" я'),
        ("?a=1&copy=2 & AT&T;", "?a=1&copy=2 & AT&T;"),
        ('“a” ‘b’ «c» "d"', '“a” ‘b’ «c» "d"'),
        ("&amp;quot;Совет&amp;quot;&amp;nbsp;&amp;amp;mdash; да", '"Совет" — да'),
        ("за\u0301мок и замо\u0301к, Ка\u0301ховка", "замок и замок, Каховка"),
        ("подъи\u0306\u0301 и\u0301\u0306 ї\u0301жак", "подъй й їжак"),
        ("Ѓорѓи \u0433\u0301 ќе ѝ", "Ѓорѓи ѓ ќе ѝ"),
        ("cafe\u0301", "café"),
        ("Рocсия, CШA и Мocквa", "Россия, США и Москва"),
        ("Укpаїна, Kиїв, Пoльща", "Україна, Київ, Польща"),
        ("замóк", "замок"),
        ("Reuters, COP и Macom", "Reuters, COP и Macom"),
        ("VIP-зал, iPhone'ы, TikTokом, HBOшный, Macом, PRщик", "VIP-зал, iPhone'ы, TikTokом, HBOшный, Macом, PRщик"),
    ],
)
def test_cleaning(raw: str, cleaned: str) -> None:
    assert clean(raw) == (cleaned, False)


def test_control_characters_are_reported() -> None:
    assert clean("а\x00б\x1bв\x9f") == ("абв", True)
    assert clean_line("а\nб\x07") == ("а б", True)


def test_a_mountain_of_combining_marks_is_cut() -> None:
    text, _ = clean("а" + "\u0323\u0301" * 400_000 + "б")
    assert 2 < len(text) <= 32 and text[-1] == "б"


def test_long_words_of_two_scripts_take_linear_time() -> None:
    begin = time.process_time()
    for word in ("аb" * 300_000, "а" * 600_000, "a" * 600_000 + "б", "я" * 600_000 + "b", "aб1" * 200_000):
        clean(word)
    assert time.process_time() - begin < 10


def test_what_the_page_calls_a_caption() -> None:
    text, taken = separate("\n".join([LEAD, "Вид на набережную.", *BODY]), None, {"Вид на набережную."})
    assert text.split("\n") == [LEAD, *BODY]
    assert [(r.reason.value, r.text) for r in taken] == [("media_caption", "Вид на набережную.")]
    assert separate(LEAD, None, {LEAD}) == (LEAD, ())


def test_an_article_is_left_alone() -> None:
    assert removed(LEAD, *BODY) == []


def test_pulled_up_lead_goes_the_one_in_the_article_stays() -> None:
    lines = [LEAD, *BODY[:2], LEAD.upper(), BODY[2]]
    text, taken = separate("\n".join(lines), None)
    assert text.split("\n") == lines[1:]
    assert [(r.reason, r.text) for r in taken] == [("repeated_paragraph", LEAD)]


def test_other_repeats_keep_the_first() -> None:
    quoted = BODY[1].replace("деревья", "«деревья»")
    other_quotes = BODY[1].replace("деревья", "“деревья”")
    text, taken = separate("\n".join([LEAD, quoted, BODY[0], other_quotes, BODY[2]]), None)
    assert text.split("\n") == [LEAD, quoted, BODY[0], BODY[2]]
    assert [r.text for r in taken] == [other_quotes]
    # A closing teaser and an article that was pasted twice.
    assert separate("\n".join([LEAD, *BODY, LEAD]), None)[0].split("\n") == [LEAD, *BODY]
    assert separate("\n".join([LEAD, *BODY] * 2), None)[0].split("\n") == [LEAD, *BODY]


def test_refrains_and_timetables_stay() -> None:
    timetable = "18:00-20:00, Первый канал, канал «Культура» и сайт города"
    assert removed(LEAD, "Суббота", timetable, "Воскресенье", timetable) == []
    assert removed(LEAD, "— Да.", BODY[0], "— Да.", BODY[1], "— Да.") == []


@pytest.mark.parametrize(
    "line",
    [
        "— Почему вы решили перестраивать набережную именно сейчас?",
        "Вы обещали не рубить деревья, когда шли на выборы. А теперь?",
        "— Не отдадим набережную! — скандировали люди у мэрии.",
        "«Не отдадим нашу набережную застройщикам из столицы!»",
        "Ведущая: Спасибо, что нашли время и пришли к нам в студию.",
        "А вода всё бежит у моих берегов, и не слышно шагов",
    ],
)
def test_what_is_said_twice_stays(line: str) -> None:
    assert removed(LEAD, line, BODY[0], line, BODY[1]) == []


def test_duration_and_caption_beside_it() -> None:
    assert removed(LEAD, *BODY, "Как сносили старую набережную!", "00:49") == [
        ("media_caption", "Как сносили старую набережную!"),
        ("media_duration", "00:49"),
    ]
    for caption in ("Набережная. До и после", "Трейлер фильма «Набережная»", "Засідання ради. Відео: UN Web TV"):
        assert removed(LEAD, *BODY, caption, "00:49")[0] == ("media_caption", caption)
    for sentence in ("— Да, — сказал он", "Так решили все.", "Он ответил: «Нет!»", "Решено. Работы начнутся завтра!"):
        assert removed(LEAD, *BODY, sentence, "00:49") == [("media_duration", "00:49")]
    assert removed(LEAD, BODY[0], "1:02:33", BODY[1]) == [("media_duration", "1:02:33")]
    assert removed(LEAD, BODY[0], "00:49", "Что говорят жители", BODY[1]) == [("media_duration", "00:49")]


def test_clock_times_of_a_live_blog_stay() -> None:
    assert removed("12:05", LEAD, "11:40", BODY[0], "10:15", BODY[1]) == []
    assert removed("12:05", LEAD, "11:40", BODY[0]) == []
    assert removed("12:05", LEAD, *BODY) == []
    assert removed("11:40", LEAD, "11:52: мэр приехал на набережную", *BODY, "Фоторепортаж", "00:49") == []


@pytest.mark.parametrize(
    "lines",
    [
        ["Результаты забега на набережной", "Анна Белова", "1:12:40", "Ольга Ким", "1:13:05", "Ирина Вайс", "1:15:59"],
        ["Программа на субботу", "Новости спорта", "12:40", "Кино: «Набережная»", "14:05"],
        [LEAD, "Начало слушаний:", "18:32", BODY[0]],
        [LEAD, "18:32", "— так указано время в протоколе.", BODY[0]],
        [LEAD, "12:40", "Мэр приехал на набережную", BODY[0]],
        [LEAD, BODY[0], "Заря — Маяк", "19:30"],
    ],
)
def test_times_in_results_and_schedules_stay(lines: list[str]) -> None:
    assert removed(*lines) == []


def test_a_caption_beside_a_video_goes_anywhere_if_it_says_so() -> None:
    assert removed(LEAD, BODY[0], "Видео дня", "12:40", BODY[1]) == [
        ("media_caption", "Видео дня"),
        ("media_duration", "12:40"),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Фото: REUTERS", "photo_credit"),
        ("Фото: Иван Петров / ТАСС", "photo_credit"),
        ("Фото: пресс-служба мэрии", "photo_credit"),
        ("Getty Images", "photo_credit"),
        ("Photo by Jane Doe", "photo_credit"),
        ("Jane Doe/Reuters", "photo_credit"),
        ("Фото: мэр показывает журналистам новый план", "media_caption"),
        ("Видео: как сносили старую набережную", "media_caption"),
        ("Відео: як зносили стару набережну", "media_caption"),
        ("Watch: the old bridge comes down", "media_caption"),
        ("Реклама", "advertisement"),
        ("ADVERTISEMENT", "advertisement"),
        ("На правах рекламы", "advertisement"),
        ("Подписывайтесь на наш Telegram-канал", "subscription_prompt"),
        ("Підписуйтесь на наш канал у Telegram!", "subscription_prompt"),
        ("Subscribe to our newsletter", "subscription_prompt"),
        ("Поделиться", "share_prompt"),
        ("Share this article", "share_prompt"),
        ("Поделиться в Facebook", "share_prompt"),
        ("Поделиться в Facebook Поделиться в Telegram", "share_prompt"),
        ("Читайте также: Мэр уволил заместителя", "related_link"),
        ("Читайте також: Мер звільнив заступника", "related_link"),
        ("Read more: Mayor sacks deputy", "related_link"),
        ("Read also", "related_link"),
        ("Главная › Новости › Город", "navigation"),
        ("© Reuters / Jane Doe", "photo_credit"),
        ("© 2024 AP. All rights reserved", "photo_credit"),
        ("© 2019–2024 Field Courier. All rights reserved.", "photo_credit"),
        ("Фото: А. Иванов / ТАСС", "photo_credit"),
        ("(Фото: пресс-служба мэрии)", "photo_credit"),
        ("[Photo: Jane Doe/AP]", "photo_credit"),
        ("(Фото: мэр показывает журналистам новый план)", "media_caption"),
        ("Подпишись на наш Telegram", "subscription_prompt"),
        ("👉 Підпишись на наш Telegram!", "subscription_prompt"),
        ("Подписывайтесь на наш канал! Читайте нас в Telegram!", "subscription_prompt"),
        ("Follow us on Twitter @example. If you have a story suggestion email us", "subscription_prompt"),
        ("Читайте також: Що буде з набережною? Пояснюємо", "related_link"),
        ("(Читайте також: Мер звільнив заступника)", "related_link"),
        ("Home > News > City", "navigation"),
    ],
)
def test_what_is_not_the_article(line: str, reason: str) -> None:
    assert removed(LEAD, line, *BODY) == [(reason, line)]


@pytest.mark.parametrize(
    "line", ["Теги: набережная, мэрия, бюджет города", "Tags: #riverbank #budget", "Ключові слова: набережна; бюджет"]
)
def test_tags_below_the_article(line: str) -> None:
    assert removed(LEAD, *BODY, line, "Поделиться") == [("navigation", line), ("share_prompt", "Поделиться")]
    assert removed(LEAD, line, *BODY) == []


@pytest.mark.parametrize(
    "line",
    [
        "Реклама пива запрещена на улицах города с понедельника.",
        "Реклама подорожала вдвое.",
        "Фото и видео с места пожара появились в соцсетях.",
        "Фото: что с ними не так? Эксперты проверили снимки и нашли подделку. Об этом пишет издание.",
        "Видео опубликовала пресс-служба министерства.",
        "Подписывайтесь под петицией, призвал активист.",
        "Поделиться опытом приехали врачи из пяти стран.",
        "Поделитесь хлебом с ближним, сказал священник.",
        "Читайте больше книг, советует министр.",
        "Read more than one book a month, the minister advises.",
        "Share prices fell on Friday.",
        "Share this burden with us, the president told allies.",
        "Subscribe or cancel: the streaming war goes on.",
        "Related families live next door.",
        "Главная новость дня — бюджет.",
        "News of the deal broke on Friday.",
        "Getty Images подала в суд.",
        "AP",
        "Следите за нами, говорят разведчики.",
        "10:30 — начало матча.",
        "Счёт 2:1",
        "Home prices fell.",
        "Мэр открыл мост. Фото: пресс-служба / ТАСС",
        "Мост рухнул утром, погибших нет / Reuters",
        "© Reuters, мост рухнул утром",
        "Reuters / мост рухнул утром",
        "Photo by photo, the archive was rebuilt",
        "Подпишись на наш Telegram. Мост рухнул утром, погибших нет.",
        "Присоединяйтесь к нам, призвал союзников президент.",
        "Теги: почему без них не обойтись в поиске, объясняет редактор сайта.",
        "Tags: the new status symbol. They are everywhere.",
        "(Он говорил об этом дважды.)",
        "Теги: это не просто слова",
        "Tags: the new status symbol",
        "Читайте також: міністр радить. Він назвав три книжки.",
        "Читайте также: Мэр уволил заместителя Напомним, прошлый план жители отвергли",
        "Ad spending rose.",
    ],
)
def test_sentences_of_the_article_stay(line: str) -> None:
    assert line == "AP" or removed(LEAD, line, *BODY) == []


@pytest.mark.parametrize(
    "line",
    [
        "Видео: мост рухнул утром на глазах у прохожих",
        "Зеленский в Киеве / Reuters",
        "© Reuters, Макрон в Париже",
        "Фото: Мост",
        "Читайте также: мост рухнул утром",
    ],
)
def test_a_line_that_is_all_there_is_stays(line: str) -> None:
    assert separate(line, None) == (line, ())
    assert separate(f"Реклама\n{line}\n00:49", None)[0] == line
    assert separate(f"{line}\nФото: REUTERS", None)[0] == line


def test_advertisements_alone_are_no_article() -> None:
    assert separate("Реклама\n00:49\nПоделиться", None)[0] == ""


def test_repeated_title() -> None:
    title = "Совет утвердил план"
    assert removed("СОВЕТ УТВЕРДИЛ ПЛАН.", LEAD, *BODY, title=title) == [("repeated_title", "СОВЕТ УТВЕРДИЛ ПЛАН.")]
    assert removed(LEAD, title, *BODY, title=title) == []
    assert removed(title, title=title) == []
