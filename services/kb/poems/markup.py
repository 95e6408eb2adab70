"""Takes HTML tags out of a text and leaves every other byte as it is.

A parser given the whole text would not: nh3, as any parser of HTML, writes `&` as `&amp;`, turns
CR LF into LF, drops NUL, moves text out of tables and drops all that follows an unclosed `<`. So
the pieces that the grammar of tags describes are found first, and nh3 is shown these alone.
"""

from __future__ import annotations

import re

import nh3

# https://html.spec.whatwg.org/multipage/parsing.html#tag-open-state: a tag begins with a letter,
# and a `>` in a quoted value does not end it. Without a closing quote the first `>` does.
_MARKUP = re.compile(
    r"""
      <!-- (?: .*?--> | [^>]*+> )                         # a comment; unclosed: up to a `>`
    | <[!?][A-Za-z\[][^>]*+>                              # a declaration
    | </?[A-Za-z][^\t\n\f\r\ />]*+                        # a tag: its name and its attributes
      (?: [\t\n\f\r\ /]
        | [^\t\n\f\r\ />][^\t\n\f\r\ />=]*+
          (?: [\t\n\f\r\ ]*+ = [\t\n\f\r\ ]*+
              (?: "[^"]*+" | '[^']*+' | [^\t\n\f\r\ >"'][^\t\n\f\r\ >]*+ ) )?+
      )*+ >
    """,
    re.VERBOSE | re.DOTALL,
)
# A tag that is taken away may leave a `<`, `</` or `<!-` before what makes it one.
_LONGEST_BEGINNING = len("<!-")


def without_tags(text: str) -> str:
    """`text` without tags, comments and declarations, also those that show once others are gone.

    A `<` that begins none of them stays, and so do `&`, entities, white space and what stood
    between the tags.
    """
    at = 0
    # Behind the last `>` nothing can end: not looking there keeps the search linear.
    while (found := _MARKUP.search(text, at, text.rfind(">") + 1)) is not None:
        if _is_markup(found[0]):
            text = text[: found.start()] + text[found.end() :]
            at = max(0, found.start() - _LONGEST_BEGINNING)
        else:
            at = found.start() + 1
    return text


def _is_markup(piece: str) -> bool:
    """The parser has the last word: it leaves nothing of what is markup."""
    return not nh3.clean(piece, tags=set(), clean_content_tags=set())
