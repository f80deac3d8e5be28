"""Checks of texts: values that break a pattern, spellings of one value, hints of personal data."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from kernel_tools.wrangler.checks.columns import is_free_text
from kernel_tools.wrangler.checks.finding import Finding, Suggestion
from kernel_tools.wrangler.checks.scope import Scope, SkippedError, percent
from kernel_tools.wrangler.engine import quoted
from kernel_tools.wrangler.profiling import ColumnProfile

MOST_TEXTS = 2_000
"""Distinct texts of a column that are looked at."""
PATTERN_SHARE, FEWEST_TEXTS = 0.9, 50
PII_SHARE, PII_FEWEST = 0.5, 5

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
_PHONE = re.compile(r"(\+\d{1,3}[ /-]?)?(\(\d{1,5}\)[ /-]?)?\d{2,5}([ /-]\d{2,8}){1,4}|\+\d{9,14}")
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
_CARD = re.compile(r"\d{13,19}")
_ADDRESS = re.compile(r"((25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(25[0-5]|2[0-4]\d|1?\d?\d)")
_DATE = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}")


def text_patterns(scope: Scope) -> Iterator[Finding]:
    """Texts of which at least 90 % have one shape, and the rest has another.

    Only columns of at least 50 different texts, in a shape with digits.
    """
    for found in _texts(scope):
        pattern = found.pattern
        if pattern is None or found.distinct < FEWEST_TEXTS or "digits" not in pattern.pattern:
            continue
        if PATTERN_SHARE <= pattern.share < 1 and not _is_number(pattern.pattern):
            others = round((1 - pattern.share) * pattern.n)
            yield Finding(
                "text_patterns",
                (found.name,),
                "low",
                "Broken pattern",
                f"{percent(pattern.share)} of the different texts of {found.name} look like {pattern.pattern}; "
                f"{others:,} of {pattern.n:,} do not.",
                {"pattern": pattern.pattern, "share": pattern.share, "others": others},
                pattern.is_exact,
                pattern.n,
            )


def _is_number(pattern: str) -> bool:
    """Return whether a shape is that of plain numbers: whether some are not is for `mixed_types` to say."""
    return re.fullmatch(r"-?\{digits:[\d-]+\}(\.\{digits:[\d-]+\})?", pattern) is not None


def inconsistent_text(scope: Scope) -> Iterator[Finding]:
    """Texts that differ only in case or white space."""
    for found in _texts(scope):
        if is_free_text(found) or found.distinct > 10_000 or found.distinct > 0.9 * found.count:
            continue
        spellings: dict[str, list[tuple[str, int]]] = {}
        for value, count in _counts(scope, found):
            spellings.setdefault(" ".join(value.lower().split()), []).append((value, count))
        several = {plain: same for plain, same in spellings.items() if len(same) > 1 and plain}
        if not several:
            continue
        rows = sum(sum(count for _, count in same) - max(count for _, count in same) for same in several.values())
        shown = "; ".join(" = ".join(repr(value) for value, _ in same[:3]) for same in list(several.values())[:3])
        yield Finding(
            "inconsistent_text",
            (found.name,),
            "medium",
            "Spellings of one value",
            f"{len(several):,} values of {found.name} are written in several ways: {shown}.",
            {
                "values": len(several),
                "rows": rows,
                "examples": [[value for value, _ in same] for same in list(several.values())[:5]],
            },
            True,
            found.n,
            (
                Suggestion(
                    "formula",
                    {"name": found.name, "formula": f"lower(trim({quoted(found.name)}))"},
                    "Write all in lower case, without space around it.",
                ),
            ),
        )


def pii_hint(scope: Scope) -> Iterator[Finding]:
    """Text of which at least half looks like personal data: e-mail, telephone, IBAN, card, network addresses.

    IBAN and card numbers have to have the right check digits. Numbers are looked at for card numbers.
    """
    for found in scope.of_kind("string", "number"):
        if found.kind == "number" and not (isinstance(found.minimum, int) and found.minimum >= 10**12):
            continue
        values = [str(value).strip() for value, _ in _counts(scope, found, MOST_TEXTS)]
        values = [value for value in values if value]
        if len(values) < PII_FEWEST:
            continue
        for what, holds in _PERSONAL.items():
            share = sum(1 for value in values if holds(value)) / len(values)
            if share >= PII_SHARE:
                is_exact = len(values) >= found.distinct
                yield Finding(
                    "pii_hint",
                    (found.name,),
                    "high",
                    "Personal data",
                    f"{percent(share)} of {len(values):,} different values of {found.name} look like {what}.",
                    {"what": what, "share": share},
                    is_exact,
                    len(values),
                    (
                        Suggestion(
                            "drop", {"columns": [found.name]}, "Leave it out unless you need it and may keep it."
                        ),
                    ),
                )
                break


def is_card(text: str) -> bool:
    """Return whether a text is a card number: 13 to 19 digits that pass Luhn's check."""
    digits = re.sub(r"[ -]", "", text)
    if not _CARD.fullmatch(digits):
        return False
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0 and len(set(digits)) > 1


def is_iban(text: str) -> bool:
    """Return whether a text is an international bank account number (ISO 13616, check digits modulo 97)."""
    plain = text.replace(" ", "").upper()
    if not _IBAN.fullmatch(plain):
        return False
    return int("".join(str(int(sign, 36)) for sign in plain[4:] + plain[:4])) % 97 == 1


def is_phone(text: str) -> bool:
    """Return whether a text looks like a telephone number: nine to fifteen digits in groups, no date, no card."""
    digits = sum(sign.isdigit() for sign in text)
    return 7 <= digits <= 15 and not _DATE.fullmatch(text) and bool(_PHONE.fullmatch(text)) and "." not in text


_PERSONAL: dict[str, Callable[[str], bool]] = {
    "e-mail addresses": lambda text: bool(_EMAIL.fullmatch(text)),
    "IBAN account numbers": is_iban,
    "card numbers": is_card,
    "network addresses": lambda text: bool(_ADDRESS.fullmatch(text)),
    "telephone numbers": is_phone,
}


def _texts(scope: Scope) -> list[ColumnProfile]:
    texts = list(scope.of_kind("string"))
    if not texts:
        raise SkippedError("there is no text")
    return texts


def _counts(scope: Scope, found: ColumnProfile, most: int | None = None) -> list[tuple[Any, int]]:
    """Return different values and their rows, the first ones by value."""
    column = scope.data[found.name]
    column = column.cast("string") if found.kind == "string" else column
    values = column.name("value").as_table()
    values = values.filter(values["value"].notnull())
    groups = values.group_by("value").aggregate(n=values.count()).order_by("value")
    groups = groups.limit(most) if most else groups
    return [(row["value"], row["n"]) for row in scope.engine.arrow(groups).to_pylist()]
