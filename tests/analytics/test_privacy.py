"""What people must not be found by is taken out; other numbers stay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.analytics.privacy import redact, redact_all

PERSONAL = [
    ("我的手机13812345678号", "我的手机[phone]号"),
    ("手机：138-1234-5678", "手机：[phone]"),
    ("手机 138 1234 5678。", "手机 [phone]。"),
    ("+86 13812345678", "[phone]"),
    ("0086-13812345678", "[phone]"),
    ("8613812345678", "[phone]"),
    ("１３８１２３４５６７８", "[phone]"),
    ("座机010-12345678", "座机[phone]"),
    ("(0755)86543210转8012", "[phone]转8012"),
    ("021－6234－5678", "[phone]"),
    ("400-810-8888", "[phone]"),
    ("call +1 (415) 555-2671 now", "call [phone] now"),
    ("+44 20 7946 0958", "[phone]"),
    ("415-555-2671", "[phone]"),
    ("(415) 555-2671", "[phone]"),
    ("邮箱是zhang.san+a@mail.example.com.cn谢谢", "邮箱是[email]谢谢"),
    ("user＠example．com", "[email]"),
    ("身份证110101199003077758", "身份证[id]"),
    ("身份证 11010119900307775X", "身份证 [id]"),
    ("110101 19900307 777x", "[id]"),
    ("１１０１０１１９９００３０７７７５Ｘ", "[id]"),
    ("老身份证110101900307775", "老身份证[id]"),
    ("香港 A123456(7)", "香港 [id]"),
    ("台灣 A123456789", "台灣 [id]"),
    ("SSN 078-05-1120", "SSN [id]"),
    ("卡号 6222 0212 3456 7890 123", "卡号 [card]"),
    ("4111 1111 1111 1111", "[card]"),
    ("4111-1111-1111-1111", "[card]"),
    ("378282246310005", "[card]"),
    ("a@b.com 和 13812345678", "[email] 和 [phone]"),
    ("138.1234.5678", "[phone]"),
    ("138_1234_5678", "[phone]"),
    ("138 - 1234 - 5678", "[phone]"),
    ("1 3 8 1 2 3 4 5 6 7 8", "[phone]"),
    ("138\u200b1234\u200b5678", "[phone]"),
    ("138\n1234\n5678", "[phone]"),
    ("我的号码是一三八一二三四五六七八。", "我的号码是[phone]。"),
    ("幺三八 幺二三四 五六七八", "[phone]"),
    ("加微信wx13812345678", "加微信wx[phone]"),
    ("86-10-12345678", "[phone]"),
    ("（０１０）１２３４５６７８", "[phone]"),
    ("110101 1990 0307 7758", "[id]"),
    ("1101011990 03077758", "[id]"),
    ("1 1 0 1 0 1 1 9 9 0 0 3 0 7 7 7 5 X", "[id]"),
    ("澳门身份证 1234567(8)", "澳门身份证 [id]"),
    ("护照E12345678，通行证C12345678", "护照[id]，通行证[id]"),
    ("6222．0212．3456．7890", "[card]"),
    ("4111/1111/1111/1111", "[card]"),
    ("张三@公司.中国", "[email]"),
    ("foo@xn--fiqs8s.xn--fiqs8s", "[email]"),
    ("user @ example.com", "[email]"),
]

HARMLESS = [
    "如何备份我的数据？",
    "2026-11-21 12:30:00",
    "v1.2.3 on 192.168.100.100",
    "iPhone 15 Pro 8999元",
    "订单20241234",
    "1234567890",
    "1 000 000 users in 2024-2025",
    "port 8741, 10 MB, 3.14159265",
    "doubao-1-5-thinking-vision-pro-250428",
    "@someone said",
    "@张三 说的.对",
    "192.168.10.100 and 10.0.0.1",
    "圆周率 3.1415926535",
    "一二三四五六七八九十",
    "二〇二六年十一月二十二日",
    "GPU H100 80GB, E5-2680",
    "4111 1111 1111 1112",
]


@pytest.mark.parametrize(("text", "expected"), PERSONAL)
def test_personal_numbers_and_addresses_are_redacted(text: str, expected: str) -> None:
    assert redact(text) == expected


@pytest.mark.parametrize("text", HARMLESS)
def test_other_numbers_stay(text: str) -> None:
    assert redact(text) == text


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_phone_number_goes_whatever_stands_around_it(before: str, after: str) -> None:
    if before[-1:].isdigit() or after[:1].isdigit():
        return
    assert "13812345678" not in redact(f"{before}，13812345678，{after}")


@given(st.text(alphabet="0123456789 -+()@.０１Ｘ一", max_size=200))
def test_nothing_but_the_marks_is_added(text: str) -> None:
    rest = redact(text)
    for mark in ("[email]", "[id]", "[card]", "[phone]"):
        rest = rest.replace(mark, "")
    assert set(rest) <= set(text)
    assert len(rest) <= len(text)


def test_texts_within_json_are_redacted_and_all_else_stays() -> None:
    value = {"a": ["13812345678", 13812345678, None, {"b": "x@y.cn"}], "c": True}
    assert redact_all(value) == {"a": ["[phone]", 13812345678, None, {"b": "[email]"}], "c": True}
