r"""The rules of Stanford CoreNLP 3.4.1's English tokenizer, with the options that coco-caption gives it.

As in that program (a lexer of the Penn Treebank's conventions), the rule that reaches farthest wins, what
must follow the token counts towards its reach, and of two that reach as far the earlier one wins. What each
kind of token looks like was learnt from the program's published grammar (CoreNLP's PTBLexer.flex) and from
what the program does with the texts of docs/metrics.md.

    >>> list(lex("Don't cross 1 1/2 St. (O'Neil & AT&T)!!"))
    ['Do', "n't", 'cross', '1\xa01/2', 'St.', '-LRB-', "O'Neil", '&', 'AT&T', '-RRB-', '!!']
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from evaluator.scorers.tokenizer.abbreviations import (
    BEFORE_A_NAME,
    BEFORE_A_NUMBER,
    BEFORE_MORE,
    CAPITALISED,
    SENTENCE_OPENERS,
)
from evaluator.scorers.tokenizer.characters import DIGITS, LETTERS, MARKS, SYMBOLS


@dataclass(frozen=True)
class Rule:
    """A token, what must follow it, and how it is written out."""

    token: str
    followed_by: str = ""
    written: Callable[[str], str] = str


def one_of(words: str) -> str:
    """Any of the words, in any case; the longest one first, so that greed finds it."""
    longest_first = sorted((re.escape(word) for word in words.split()), key=len, reverse=True)
    return f"(?ai:{'|'.join(longest_first)})"


def capitalised(words: str) -> str:
    """Any of the words with a capital first letter; the others in any case."""
    longest_first = sorted(words.split(), key=len, reverse=True)
    return "(?:" + "|".join(f"{word[0]}(?ai:{re.escape(word[1:])})" for word in longest_first) + ")"


def without_soft_hyphens(token: str) -> str:
    return token.replace("\u00ad", "")


def with_hard_spaces(token: str) -> str:
    return token.replace(" ", "\u00a0")


def with_named_brackets(token: str) -> str:
    return token.replace("(", "-LRB-").replace(")", "-RRB-")


def with_plain_ampersands(token: str) -> str:
    return re.sub("(?i:&amp;)", "&", token)


PLAIN_QUOTES = re.compile(
    '&apos;|&quot;|["\u0091\u2018\u201b\u2039\u0092\u2019\u203a\u0093\u201c\u00ab\u0094\u201d\u00bb]'
)
QUOTES = {"&apos;": "'", "&quot;": "''", '"': "''"}
QUOTES |= dict.fromkeys("\u0091\u2018\u201b\u2039", "`") | dict.fromkeys("\u0092\u2019\u203a", "'")
QUOTES |= dict.fromkeys("\u0093\u201c\u00ab", "``") | dict.fromkeys("\u0094\u201d\u00bb", "''")


def with_plain_quotes(token: str) -> str:
    """Curly quotes as the Penn Treebank writes them; an opening straight quote counts as a closing one.

    (Which of the two it is makes no difference, since COCO's evaluation drops both.)
    """
    return PLAIN_QUOTES.sub(lambda found: QUOTES[found[0]], token)


DASHES = {2: "--", 3: "--", 4: "--"}
CURRENCIES = {"\u00a2": "cents", "\u00a3": "#"} | dict.fromkeys("\u0080\u00a4\u20a0\u20ac", "$")
FRACTIONS = {"\u00bc": "1/4", "\u00bd": "1/2", "\u00be": "3/4", "\u2153": "1/3", "\u2154": "2/3"}
BRACKETS = {"(": "-LRB-", ")": "-RRB-", "[": "-LSB-", "]": "-RSB-", "{": "-LCB-", "}": "-RCB-"}

SPACE = r"[ \t\u00a0\u2000-\u200a\u3000]"
SPACE_OR_LINE_END = r"[ \t\u00a0\u2000-\u200a\u3000\r\n\u2028\u2029\x0b\x0c\u0085]"
NAMED_LETTER = r"&[aeiouAEIOU](?ai:acute|grave|uml);"
APOSTROPHE = r"(?:['\u0092\u2019]|&(?ai:apos);)"
ANY_APOSTROPHE = r"(?:['`\u0091\u0092\u2018\u2019\u201b]|&(?ai:apos);)"
HYPHEN = r"[-_\u058a\u2010\u2011]"

letter = f"[{LETTERS}]"
digit = f"[{DIGITS}]"
word_letter = f"(?:[{LETTERS}{MARKS}]|{NAMED_LETTER})"
word_part = f"(?:[{LETTERS}{MARKS}{DIGITS}]|{NAMED_LETTER})"
word = rf"{word_letter}{word_part}*(?:[.!?]{word_letter}{word_part}*)*"
word_before_nt = r"[A-Za-z\u00ad]*[A-MO-Za-mo-z]\u00ad*"
nt = f"[nN]{ANY_APOSTROPHE}[tT]"
clitic = f"{APOSTROPHE}(?:[msdMSD]|(?ai:re|ve|ll))"
elision = f"[dDoOlL]{ANY_APOSTROPHE}[{LETTERS}{DIGITS}]"
number = rf"(?:{digit}*(?:[.:,\u00ad\u066b\u066c]{digit}+)+|{digit}+)"
thing = f"(?:{elision})?[{LETTERS}{DIGITS}]+(?:{HYPHEN}(?:{elision})?[{LETTERS}{DIGITS}]+)*"
# A chain of two letters or more, with its last period left out.
chain = r"[A-Za-z](?:\.[A-Za-z])+"
# What is looked for from each position on has a limit: without it, time would be quadratic in the text.
LONGEST_BEFORE_HYPHEN = 64
LONGEST_LABEL = 63  # of a host name, RFC 1035; and of what stands before the @ of a mail address, RFC 5321
LONGEST_DECLARATION = 256
country_pair = r"(?ai:(?:canada|sino|korean|eu|japan|non)-u\.s|u\.s\.-(?:u\.s\.s\.r|u\.k))"
hyphenated = (
    rf"[A-Za-z0-9][A-Za-z0-9.,\u00ad]{{0,{LONGEST_BEFORE_HYPHEN}}}+"
    rf"(?:-(?:{chain}\.|[A-Za-z0-9\u00ad]+))+"
)
slashed = r"[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}(?:\\?/[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}){1,2}"
initials = r"[A-Z]+(?:(?:[+&]|&(?ai:amp);)[A-Z]+)+"
tag_name = "[A-Za-z][A-Za-z0-9_:.-]*"
tag = (
    rf"<(?:[!?][A-Za-z-][^>\r\n]{{0,{LONGEST_DECLARATION}}}+"
    rf"|{tag_name}(?: +(?:{tag_name} *= *(?:'[^']*'|\"[^\"]*\")|{tag_name}))* *(?:/ *)?"
    rf"|/{tag_name} *)>"
)
# An address runs on up to white space and a few signs, and does not end in punctuation.
outside_address = r" \t\n\f\r\"<>|"
punctuation = r".,!?(){}"
address_end = f"[^{outside_address}{punctuation}-]"
path = f"/[^{outside_address}()]+{address_end}"
full_address = f"(?ai:https?)://[^{outside_address}(){{}}]+{address_end}"
www_host = rf"(?ai:www)\.(?:[^{outside_address}{punctuation}]{{1,{LONGEST_LABEL}}}\.)+[a-zA-Z]{{2,4}}"
# Neither capitals nor digits: they lie between the comma and the low line.
dotcom_host = rf"(?:[^{outside_address}!'`$(){{}},-_]{{1,{LONGEST_LABEL}}}+\.)+(?ai:com|net|org|edu)"
outside_mail = rf"{outside_address}(){{}}\u00a0"
mail = (
    rf"(?:<|&(?ai:lt);)?[a-zA-Z0-9][^{outside_mail}]{{0,{LONGEST_LABEL}}}"
    rf"@(?:[^{outside_mail}.]+\.)*[^{outside_mail}.]+(?:>|&(?ai:gt);)?"
)
fraction = rf"(?:{digit}{{1,4}}[- \u00a0])?{digit}{{1,4}}(?:\\?/|\u2044){digit}{{1,4}}"
date = rf"{digit}{{1,2}}[-/]{digit}{{1,2}}[-/]{digit}{{2,4}}"
file_ending = one_of(
    "bat bmp c class cgi cpp dll doc docx exe gif gz h htm html jar java jpeg jpg mov mp3 pdf php pl png ppt "
    "ps py sql tar txt wav x xml zip"
)
file_name = rf"{word_part}+(?:\.{word_part}+)*\.{file_ending}"
phone_gap = r"[- \u00a0]"
phone_area = rf"(?:\([0-9]{{2,3}}\)[ \u00a0]?|\+{{0,2}}(?:[0-9]{{2,4}}{phone_gap}){{1,2}})"
phone = rf"{phone_area}[0-9]{{3,4}}{phone_gap}?[0-9]{{3,5}}"
dotted_phone = r"(?:\+{0,2}[0-9]{2,4}\.)?[0-9]{2,4}\.[0-9]{3,4}\.[0-9]{3,5}"
before_more = (
    r"(?=[A-Za-z]+\.)"
    rf"(?:(?ai:(?:ed|ph)\.d)|(?ai:pp?t)[ye](?ai:s)?|{one_of(BEFORE_MORE)}|{capitalised(CAPITALISED)})\."
)
before_a_name = (
    rf"(?=[A-Za-z]+[.-])(?:{country_pair}|{chain}|(?ai:m)[ft](?ai:g)|{one_of(BEFORE_A_NAME)}|[A-Za-z])\."
)
brows, eyes, nose, mouth = "[<>]?", "[:;=]", "[-o*']?", r"[()DPdpO\\{@|\[\]]"
smiley = brows + eyes + nose + mouth
upright_eye = r"[\^x=~<>']"
upright_smiley = (
    rf"(?:{upright_eye}|-)_(?:{upright_eye}|-)"
    rf"|\((?:{upright_eye}|-)[_.]?(?:{upright_eye}|-)\)"
    rf"|\({upright_eye}-(?:{upright_eye}|`)\)"
)
typographic_quotes = r"`\u2018-\u201f\u0091-\u0094\u2039\u203a\u00ab\u00bb"

# In the order in which ties are decided.
RULES = (
    Rule(r"(?ai:c\+\+|[cf]#)"),
    Rule(r"(?ai:can)", "(?ai:not)"),
    Rule(r"(?ai:'t)", "(?ai:was|is)"),
    Rule(r"(?ai:gon|wan)", "(?ai:na)"),
    Rule(r"(?ai:got)", "(?ai:ta)"),
    Rule(r"(?ai:lem|gim)", "(?ai:me)"),
    Rule(tag, written=with_hard_spaces),
    Rule("&(?ai:md|mdash|ndash);|[\u0096\u0097\u2013-\u2015]", written=lambda dash: "--"),
    Rule("&(?ai:amp);", written=with_plain_ampersands),
    Rule("&(?ai:ht|tl|ur|lr|qc|ql|qr|odq|cdq|#[0-9]+);"),
    Rule(word, clitic, without_soft_hyphens),
    Rule(word_before_nt, nt, without_soft_hyphens),
    Rule(word, written=without_soft_hyphens),
    Rule(rf"{APOSTROPHE}[nN]{APOSTROPHE}?"),
    Rule(rf"(?:[lLdDjJ]|(?ai:dunkin|somethin|ol)){APOSTROPHE}"),
    Rule(rf"{APOSTROPHE}(?ai:em|till?|cause|[2-9]0s)"),
    Rule(rf"[A-HJ-XZn]{ANY_APOSTROPHE}{letter}{{2,}}"),
    Rule(rf"{letter}+[aeiouyAEIOUY]{ANY_APOSTROPHE}[aeiouA-Z]{letter}*"),
    Rule(r"(?ai:cont'd\.?|nor'easter|c'mon|e'er|s'mores|ev'ry|li'l|nat'l)"),
    Rule(f"[oO]{ANY_APOSTROPHE}[oO]"),
    Rule(rf"[yY]{APOSTROPHE}", letter),
    Rule(full_address),
    Rule(www_host),
    Rule(www_host + path),
    Rule(dotcom_host),
    Rule(dotcom_host + path),
    Rule(mail),
    Rule(rf"@[a-zA-Z_][a-zA-Z_0-9]*|#{word_letter}+"),
    Rule(clitic, "[^A-Za-z]", with_plain_quotes),
    Rule(nt, "[^A-Za-z]", with_plain_quotes),
    Rule(date),
    Rule(rf"[-+]?{number}", written=without_soft_hyphens),
    Rule(r"[\u207a\u207b\u208a\u208b]?(?:[\u2070\u00b9\u00b2\u00b3\u2074-\u2079]+|[\u2080-\u2089]+)"),
    Rule(fraction, written=with_hard_spaces),
    Rule(r"[\u00bc-\u00be\u2153-\u215e]", written=lambda sign: FRACTIONS.get(sign, sign)),
    Rule(
        rf"-(?ai:[rl][rcs]b)-|(?ai:c\.d\.s|pro-|anti-|s&(?:amp;)?(?:p-500|ls)|cap{APOSTROPHE}n|c{APOSTROPHE}est)",
        written=with_plain_ampersands,
    ),
    Rule(slashed),
    Rule(r"[A-Z]*\$|#"),
    Rule(
        r"[\u00a2-\u00a5\u0080\u20a0\u20a4\u20ac\u060b\u0e3f\uffe0\uffe1\uffe5\uffe6]",
        written=lambda sign: CURRENCIES.get(sign, sign),
    ),
    Rule(r"[A-Za-z]", rf"\.{SPACE_OR_LINE_END}+(?:{capitalised(SENTENCE_OPENERS)}|{tag}){SPACE_OR_LINE_END}"),
    Rule(rf"{one_of(BEFORE_A_NUMBER)}\.", f"{SPACE_OR_LINE_END}?{digit}"),
    Rule(before_more, r"[\s\S]{2}"),
    Rule(before_more),
    Rule(before_a_name),
    Rule(f"{country_pair}|{chain}", SPACE_OR_LINE_END),
    Rule(rf"{APOSTROPHE}[0-9][0-9]", SPACE_OR_LINE_END),
    Rule(file_name, rf"(?:{SPACE_OR_LINE_END}|[.?!,])"),
    Rule(rf"{word}\.", "[,;:\u3001]", without_soft_hyphens),
    Rule(phone, written=lambda token: with_named_brackets(with_hard_spaces(token))),
    Rule(dotted_phone),
    Rule('"|&(?ai:quot);', written=with_plain_quotes),
    Rule("<|&(?ai:lt);", written=lambda token: "<"),
    Rule(">|&(?ai:gt);", written=lambda token: ">"),
    Rule(smiley, "[^A-Za-z0-9]", with_named_brackets),
    Rule(upright_smiley, written=with_named_brackets),
    Rule(r"[\[\](){}]", written=lambda bracket: BRACKETS[bracket]),
    Rule("-+", written=lambda dashes: DASHES.get(len(dashes), dashes)),
    Rule(r"\.{3,5}|(?:\.[ \u00a0]){2,4}\.|[\u0085\u2026]", written=lambda dots: "..."),
    Rule(r"@+|#+|_+|\*+|(?:\\\*){1,3}"),
    Rule("[?!]+"),
    Rule(rf"{hyphenated}", written=without_soft_hyphens),
    Rule(rf"{hyphenated}\.", "[,;:\u3001]", without_soft_hyphens),
    Rule(thing),
    Rule(rf"{thing}\.", "[,;:\u3001]"),
    Rule(initials, written=with_plain_ampersands),
    Rule(rf"{initials}\.", "[,;:\u3001]", with_plain_ampersands),
    Rule("'", r"[A-Za-z][^ \t\n\r\u00a0]"),
    Rule(f"[{typographic_quotes}]{{1,2}}|''|{APOSTROPHE}", written=with_plain_quotes),
    Rule(clitic, written=with_plain_quotes),
    Rule("<<|>>"),
    Rule(rf"[!#%&*+,./:;=?@\\^_|~{SYMBOLS}]"),
    Rule(f"{SPACE}+|&(?ai:nbsp);", written=lambda space: ""),
)


@dataclass(frozen=True)
class Block:
    """Some rules in a row, and a pattern that matches where at least one of them does."""

    any_of: re.Pattern[str]
    rules: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...]  # each pattern, how its token is written


RULES_IN_A_BLOCK = 9  # most blocks match nowhere near, and one look rules out all of their rules


@cache
def compiled_rules() -> tuple[Block, ...]:
    """The rules in their order. Compiling them takes longer than most imports."""
    blocks = []
    for first in range(0, len(RULES), RULES_IN_A_BLOCK):
        rules = RULES[first : first + RULES_IN_A_BLOCK]
        # Without the groups, which would hide from `re` by which characters a rule can begin.
        any_of = "|".join(f"(?:{rule.token})(?:{rule.followed_by})" for rule in rules)
        compiled = [(re.compile(f"({rule.token})(?:{rule.followed_by})"), rule.written) for rule in rules]
        blocks.append(Block(re.compile(any_of), tuple(compiled)))
    return tuple(blocks)


ABBREVIATION = re.compile(f"{before_more}|{before_a_name}")


def lex(text: str, following: str = "\n") -> Iterator[str]:
    """The tokens of `text`, in their own case; `following` is what the rules see after it."""
    source = text + following
    position = 0
    while position < len(text):
        end, token = _farthest(source, position)
        position = max(end, position + 1)  # what no rule knows is passed over
        if token:
            yield token


def _farthest(source: str, position: int) -> tuple[int, str]:
    """Where the token of the rule with the farthest reach ends, and how it is written."""
    reach, end, token = position, position, ""
    for block in compiled_rules():
        if block.any_of.match(source, position):
            for pattern, written in block.rules:
                match = pattern.match(source, position)
                if match and match.end() > reach:
                    reach, end, token = match.end(), match.end(1), written(match[1])
    return end, token
