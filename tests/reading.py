"""How long the sentences of a page are: a help for those who write them, no measure of what is understood."""

import re
from html import unescape

LONGEST = 20
# What is not read as a page's own words: texts of programs, and what is around every page.
_UNREAD = re.compile(r"<(script|style|template|code|svg|header|footer|nav)\b.*?</\1>|<!--.*?-->", re.DOTALL)
# Elements in the middle of a sentence.
_INLINE = re.compile(r"</?(?:a|abbr|b|em|small|span|strong|time|wbr)\b[^>]*>")
_END = re.compile(r"(?<=[.!?…])[»”)]*\s+(?=[«„\"(]?(?![a-zа-яёәғқңөұүһі])\w)|\n+|[;:]\s")
_WORD = re.compile(r"[^\W_][\w’'.,/-]*")


def long_sentences(page: str) -> set[str]:
    """The sentences of a page with more than `LONGEST` words; what stands after a colon is read by itself."""
    text = re.sub(r"\s+", " ", _UNREAD.sub(" ", page))
    text = unescape(re.sub(r"<[^>]+>", "\n", _INLINE.sub("", text)))
    sentences = (" ".join(one.split()) for one in _END.split(text))
    return {one for one in sentences if len(_WORD.findall(one)) > LONGEST}
