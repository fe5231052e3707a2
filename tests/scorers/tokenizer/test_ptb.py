"""Tokens, against lines that CoreNLP 3.4.1 gave and against the program itself where Java is installed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluator.scorers.tokenizer.ptb import PUNCTUATION, tokenize, tokenized_text
from evaluator.scorers.tokenizer.rules import lex

Stanford = Callable[[Sequence[str]], list[tuple[str, ...]]]

# What the stanford-corenlp-3.4.1.jar of pycocoevalcap 1.2 gave on OpenJDK 17, a line at a time. A hard space
# within a token is written ␣.
BY_CORENLP = """
a man's dog don't can't cannot => a man 's dog do n't ca n't can not
gonna gotta lemme wannabe gonna's => gon na got ta lem me wannabe gonna 's
'tis 'twas dunno o'clock y'all ma'am => 't is 't was dunno o'clock y' all ma'am
it'd've it'smine he'LL dogs' => it 'd 've it smine he 'll dogs
rock'n'roll '90s '90 x '90x d'Avignon O’Brien => rock 'n' roll '90s '90 x 90x d'avignon o’brien
don’t won`t it`s l'eau c'est Cap'n => do n't wo n`t it s l'eau c'est cap'n
colour grey theatre => colour grey theatre
"hello" 'world' “y” ‘z’ «a» => hello world y z a
“” “‘a’” ‘’ => ``'' ``` a ''' `'
(a) [b] {c} <d> <b>text</b> a < b => -lrb- a -rrb- -lsb- b -rsb- -lcb- c -rcb- <d> <b> text </b> a < b
<a href="x y">z <a href=x> <!-- x --> => <a␣href="x␣y"> z < a href = x > <!--␣x␣-->
1 1/2 cups, 1/2 tea, 3 1/2-inch => 1␣1/2 cups 1/2 tea 3␣1/2 inch
½ cup ⅛ 1½ m² ²³ => 1/2 cup ⅛ 1 1/2 m ² ²³
$5.00 US$5 us$ 5 £3 €7 5¢ #1 #tag @name => $ 5.00 us$ 5 us $ 5 # 3 $ 7 5 cents # 1 #tag @name
10:30am 5lbs 100% 5°C 5'6" 2x4's 1980's 80s => 10:30 am 5lbs 100 % 5 ° c 5 6 2x4 's 1980 's 80s
-5 +5 1-2 5.5x5 5x5.5 1,000 .5 :5 => -5 +5 1-2 5.5 x5 5x5 .5 1,000 .5 :5
12/25/2010 10-12-2010 a/b/c/d a-b-c-d/e w/ x => 12/25/2010 10-12-2010 a/b/c / d a-b-c-d / e w / x
(555) 123-4567 555-1234 2010 2011 => -lrb-555-rrb-␣123-4567 555-1234␣2010␣2011
well-known t-shirt five-year- old => well-known t-shirt five-year old
x-y- a_b a--b a-----b => x-y a_b a b a ----- b
black & white AT&T a&b A+B &amp; &lt; &nbsp; => black & white at&t a & b a+b & <
New York, N.Y. is great. Mr. Smith vs. Jones etc. => new york n.y. is great mr. smith vs. jones etc.
no. 5 no. five fig.5 op. cit. => no. 5 no five fig. 5 op cit
in Mass. a mass. of Ph.D. a.m. 9a.m. => in mass. a mass of ph.d. a.m. 9a m.
etc.x St.x Mr.Smith word.Word what?no word., x => etc. x st.x mr.smith word.word what?no word. x
vitamin C. The dog, vitamin C. the dog => vitamin c the dog vitamin c. the dog
wait... what .... . . . end ?! !! ? => wait what end ?! !!
www.google.com http://a.b/c e@x.com a.com/bc => www.google.com http://a.b/c e@x.com a.com/bc
www.google.com/😀 a.com/b a😀b => www.google.com/😀 a.com / b a b
foo.jpg 1.txt 1.txts foo-bar.jpg => foo.jpg 1.txt 1 txts foo-bar jpg
:) ;-) :D ^_^ <3 -_- => :-rrb- ;--rrb- :d ^_^ < 3 -_-
café naïve 日本 Привет 😀 ♥ § => café naïve 日本 привет ♥ §
soft\u00adhyphen soft\u00ad-x a\u200bb caf&eacute; => softhyphen soft-x a b caf&eacute;
c++ C# pro- anti-war U.S.-based non-U.S. a => c++ c# pro- anti-war u.s.-based non-u.s. a
""".strip().split("\n")


@pytest.mark.parametrize("line", BY_CORENLP)
def test_lines_as_corenlp_gave_them(line: str) -> None:
    text, _, tokens = line.replace("\\u00ad", "\u00ad").replace("\\u200b", "\u200b").partition(" => ")
    assert tokenize(text) == tuple(token.replace("␣", "\u00a0") for token in tokens.split(" "))


@pytest.mark.parametrize("text", ["", " ", "\n", ".", "...", "😀", "\u200b"])
def test_nothing_is_no_token(text: str) -> None:
    assert tokenize(text) == ()


@pytest.mark.parametrize("line_break", ["\n", "\r", "\r\n", "\v", "\f", "\u0085", "\u2028", "\u2029", "\0"])
def test_a_line_break_is_white_space_within_one_caption(line_break: str) -> None:
    assert tokenize(f"a cat{line_break}on a mat{line_break}") == ("a", "cat", "on", "a", "mat")


def test_a_tokenized_text_has_a_space_between_tokens() -> None:
    assert tokenized_text("The man's 1 1/2 dogs.") == "the man 's 1\xa01/2 dogs"


def test_a_last_letter_ends_in_a_full_stop_where_captions_are_sentences() -> None:
    # The Java program decides by the next caption's first word, here by the caption's own.
    assert tokenize("A group of people try the Wii U.")[-1] == "u"
    assert tokenize("kitchen with a large white t.")[-1] == "t."


@given(st.text(max_size=60) | st.text("aA19.,'-/ <>(\u00a0\u3000U", max_size=20))
def test_taking_a_caption_apart_at_its_spaces_changes_nothing(text: str) -> None:
    line = one_line(text)
    first_word = line.lstrip(" ").split(" ")[0]
    following = f"\n{first_word} " if first_word[:1].isalpha() else "\n"
    whole = [token.lower() for token in lex(line, following)]
    assert [token.strip() for token in tokenize(line)] == [
        token.strip() for token in whole if token.strip() not in PUNCTUATION
    ]


@given(st.text(max_size=80))
def test_tokens_are_lower_case_without_spaces(text: str) -> None:
    for token in tokenize(text):
        assert token
        assert token == token.lower()
        assert " " not in token
        assert "\n" not in token
        assert token not in PUNCTUATION


def one_line(text: str) -> str:
    """The caption on one line, since the Java program would make two captions of two lines."""
    for line_break in "\r\n\v\f\u0085\u2028\u2029\0":
        text = text.replace(line_break, " ")
    return text


def apart(lines: Sequence[str]) -> list[str]:
    """Each line with a line after it that begins as itself does: the Java program looks that far."""
    first_words = [line.lstrip(" ").split(" ")[0] for line in lines]
    return [
        text
        for line, word in zip(lines, first_words, strict=True)
        for text in (line, f"{word} zz" if word[:1].isalpha() else "zz")
    ]


def captions_of(path: Path) -> list[str]:
    content = json.loads(path.read_text())
    return [
        one_line(row["caption"]) for row in (content["annotations"] if isinstance(content, dict) else content)
    ]


def test_every_real_caption_as_corenlp_reads_it(real_data: Path, stanford: Stanford) -> None:
    """Over 80,000 captions in their files' order: each has the neighbours of a published evaluation."""
    files = [*(real_data / "coco").glob("captions_*.json"), *(real_data / "systems").glob("*.json")]
    compared, different = 0, []
    for path in sorted(files):
        if path.name == "scores.json":
            continue
        captions = captions_of(path)
        for caption, tokens in zip(captions, stanford(captions), strict=True):
            compared += 1
            if tokenize(caption) != tokens:
                different.append(caption)
    assert compared > 80_000
    # The next line begins with "The", by which the program takes the last period for a full stop.
    assert different == ["Peculiar street sign showing intersection of 23 3/4 St and 8th Ave/CTH D."]


PIECES = [line.partition(" => ")[0] for line in BY_CORENLP]
WORDS = [word for line in PIECES for word in line.split()] + [
    "1 1/2",
    ". . .",
    "(555) 123-4567",
    "The",
    "\u3000",
]
JOINTS = ["", "", " ", " ", " ", ".", ",", "-", "'s", "'", "/", '"', ")"]
LETTERS = "abcxyznstdlmABIOUST0123456789..,,''’`\"-–—_/\\&@#$%*+=!?;:()[]{}<>~^| éñ½²°£€\u00ad\u00a0"


# The signs of one kind of token each, and what makes its neighbours likely.
KINDS = [
    ("0123 -().+", ["1 1/2", "(555) 123-4567"]),
    ("12345 /-.,:\u2044\\", ["10/12/2010"]),
    ("<ab='\"/>= !?_:", ["<b>", "</"]),
    (":;=-o*'()DPp\\{@|[]<>x a", ["^_^"]),
    ("wab./:,-{}()@_$? ", ["http://", "https://", "www.", ".com", ".org"]),
    (
        "'`\u2019\u2018\u0092ntsdrevlmaeioyO ",
        ["n't", "'s", "'em", "'til", "'90s", "cannot", "gonna", "cont'd"],
    ),
    ("'\"`“”‘’«»‹›ab &", ["&quot;", "&apos;"]),
    ("AUSEU.-KX ab,", ["U.S.", "Canada-", "non-", "U.K", "U.S.S.R", "Ph.D", "etc.", "Co.", "No.", "The "]),
    ("*-\\_#@!?.=+ a1", ["&amp;", "&lt;", "&ndash;", "&#39;", "&eacute;", "&nbsp;"]),
    ("²³¹⁰⁺⁴₀₊12a", ["½"]),
    ("abAB&+;amp$# ", ["AT&T", "c++"]),
    ("1,.:\u00ad\u066b\u066c\u0663\u07c1-+a", [".txt", ".jpg", ".c"]),
    ("a\u0301é\u0300b'-.\u00ad1n't", ["n't"]),
    ("a1-_\u2010\u2011\u058a'dDlLO .,", ["d'", "pro-", "-LRB-"]),
]


def of_one_kind(source: random.Random) -> str:
    signs, words = source.choice(KINDS)
    length = source.randint(1, 12)
    return "".join(source.choice(words if source.random() < 0.25 else signs) for _ in range(length))


@pytest.mark.parametrize("seed", range(2))
def test_generated_hard_lines_as_corenlp_reads_them(seed: int, stanford: Stanford) -> None:
    source = random.Random(seed)
    words = ["".join(source.choice(WORDS) + source.choice(JOINTS) for _ in range(6)) for _ in range(8_000)]
    signs = ["".join(source.choice(LETTERS) for _ in range(source.randint(1, 9))) for _ in range(8_000)]
    lines = words + signs + [of_one_kind(source) for _ in range(8_000)]
    assert [tokenize(line) for line in lines] == stanford(apart(lines))[::2]


@settings(max_examples=5, deadline=None)
@given(
    st.lists(
        st.text(
            st.characters(min_codepoint=32, max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=30
        ),
        min_size=50,
        max_size=200,
    )
)
def test_any_text_of_the_basic_plane_as_corenlp_reads_it(stanford: Stanford, lines: list[str]) -> None:
    lines = [one_line(line) for line in lines]
    assert [tokenize(line) for line in lines] == stanford(apart(lines))[::2]
