"""Amounts in English and Japanese text, as currency and number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.money import amounts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("£3.99m from the funders", [("GBP", 3_990_000)]),
        ("£3.99 million", [("GBP", 3_990_000)]),
        ("$825 million", [("USD", 825_000_000)]),
        ("US$1.5bn", [("USD", 1_500_000_000)]),
        ("U.S.$5m", [("USD", 5_000_000)]),
        ("HK$5 million and A$3m", [("HKD", 5_000_000), ("AUD", 3_000_000)]),
        ("$550-billion deal", [("USD", 550_000_000_000)]),
        ("$110M", [("USD", 110_000_000)]),
        ("USD 50 million", [("USD", 50_000_000)]),
        ("536 billion yen", [("JPY", 536_000_000_000)]),
        ("4.6 billion pounds sterling", [("GBP", 4_600_000_000)]),
        ("1,100,000 dollars", [("USD", 1_100_000)]),
        ("€2.5bn", [("EUR", 2_500_000_000)]),
        ("5900億円", [("JPY", 590_000_000_000)]),
        ("5,900億円", [("JPY", 590_000_000_000)]),
        ("1兆円", [("JPY", 1_000_000_000_000)]),
        ("1兆1800億円", [("JPY", 1_180_000_000_000)]),
        ("約5.5兆円", [("JPY", 5_500_000_000_000)]),
        ("6千万ドル", [("USD", 60_000_000)]),
        ("2億1000万ドル", [("USD", 210_000_000)]),
        ("５５００億ドル（約８５兆円）", [("USD", 550_000_000_000), ("JPY", 85_000_000_000_000)]),
        ("¥1.5 trillion ($9.6 billion)", [("JPY", 1_500_000_000_000), ("USD", 9_600_000_000)]),
        ("600万ポンド", [("GBP", 6_000_000)]),
    ],
)
def test_an_amount_is_read(text: str, expected: list[tuple[str, float]]) -> None:
    assert [(amount.currency, amount.value) for amount in amounts(text)] == expected


@pytest.mark.parametrize(
    "text", ["数十億円", "2024年元日", "24 members won the day", "chapter 5", "5nm", "28日", ""]
)
def test_what_is_no_amount_is_left_alone(text: str) -> None:
    assert amounts(text) == []


def test_an_amount_is_quoted_as_written_and_given_once() -> None:
    found = amounts("The fund of ￡３．９９m", "is worth ￡３．９９m, that is £3.99 million.")
    assert [amount.text for amount in found] == ["￡３．９９m"]


@given(st.text(alphabet="0123456789,.$£¥円億兆万 bmnillo", max_size=200))
def test_any_digits_give_positive_numbers(text: str) -> None:
    assert all(amount.value > 0 and amount.text in text for amount in amounts(text))
