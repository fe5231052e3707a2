"""Which texts are refusals and failure texts of programs, and which are captions all the same."""

from __future__ import annotations

import pytest

from evaluator.audit.failure_texts import as_failure, failure_in
from evaluator.core import Caption, Outcome, Reply

REFUSALS = [
    "I'm sorry, but I can't help with identifying people in this picture.",
    "I’m sorry, I can’t assist with that.",
    "I am sorry, I do not see an image.",
    "Sorry, I cannot identify the person in the photo.",
    "I apologize, but no image was provided.",
    "My apologies, I am not able to view images.",
    "I cannot describe this image.",
    "I can't identify people from pictures.",
    "I'm unable to view the image.",
    "I am unable to see the image above.",  # an annotator of COCO wrote this
    "I don't see any picture attached. Could you upload it?",
    "I don't have the ability to see images.",
    "As an AI language model, I cannot see pictures.",
    "I'm an AI and cannot see.",
    "Unfortunately, I cannot process this picture.",
    "Hello! I'm sorry, I can't see it.",
    "There doesn't seem to be an image attached to your message.",
    "It looks like the image didn't load, or no image was uploaded.",
    "No image was provided.",
    "Please upload the image again.",
    "\"I'm sorry, I can't do that.\"",
    "\n\n**I'm sorry**, but I cannot.",
    "Es tut mir leid, ich kann das Bild nicht sehen.",
    "Ich kann dabei nicht helfen.",
    "Het spijt me, ik kan dat niet.",
    "Beklager, jeg kan ikke se bildet.",
    "Je suis désolé, mais je ne peux pas identifier cette personne.",
    "Désolé, je ne vois aucune image.",
    "Lo siento, no puedo ayudar con eso.",
    "No puedo identificar a las personas.",
    "Desculpe, não posso ajudar.",
    "Mi dispiace, non posso identificare le persone.",
    "Przepraszam, nie mogę pomóc.",
    "Извините, я не могу описать это изображение.",
    "К сожалению, я не вижу изображения.",
    "Üzgünüm, bu resmi göremiyorum.",
    "عذراً، لا أستطيع رؤية الصورة",
    "抱歉，我无法识别图片中的人物。",
    "很抱歉，我看不到图片。",
    "申し訳ありませんが、画像を確認できません。",
    "죄송합니다. 이미지를 볼 수 없습니다.",
    "Xin lỗi, tôi không thể xem hình ảnh.",
    "ขออภัย ฉันไม่เห็นรูปภาพ",
    "क्षमा करें, मैं चित्र नहीं देख सकता।",
]
TOOL_FAILURES = [
    "[LMMS_EVAL_REQUEST_FAILED after 3 tries]",
    "[LMMS_EVAL_BUDGET_EXCEEDED]",
    "[REQUEST_FAILED]",
    "Failed to obtain answer via API.",
    "nan",
    "NaN",
    "None",
    "null",
    "N/A",
    "Error: 429 Too Many Requests",
    "ERROR",
    "Error code: 400 - {'error': {'message': 'bad'}}",
    "API Error: overloaded",
    "An error occurred while processing the request",
    "openai.RateLimitError: quota",
    "ValueError: no picture",
    "Traceback (most recent call last):\n  File",
    "CUDA out of memory. Tried to allocate 2 GiB",
    "429 Too Many Requests",
    "HTTP 503: service unavailable",
    "Rate limit exceeded",
    "Request timed out",
    '{"error": "overloaded"}',
    "<!DOCTYPE html><html>",
    "[object Object]",
    "undefined",
    "No caption",
    "#N/A",
]
BLOCKED = [
    "[SAFETY_BLOCKED: HARM_CATEGORY_SEXUALLY_EXPLICIT]",
    "[CONTENT_BLOCKED]",
    "The response was blocked.",
    "Blocked by content filter",
]
CAPTIONS = [
    "",
    "a cat",
    "A man who looks sorry",
    "A sign that says: I'm sorry, we are closed",
    "Sorry sight of a broken boat",
    "None of the dogs sleep",
    "No one is in the room",
    "no dogs on the beach",
    "Unknown soldier's grave with flowers",
    "Error message on a blue screen",
    "a computer that shows an error: 404",
    "Failed bridge over a river",
    "I can of soda on a table",
    "I see a dog",
    "The image shows a man",
    "As an airplane lands, people watch",
    "It looks like a photo of a train",
    "There is an image of a bear on the wall",
    "Please stop sign at a corner",
    "Missing teeth in a boy's smile",
    "Blocked road in the mountains",
    "503 bus at a stop",
    "a laptop with a page that was not found",
    "[a cat on a sofa]",
    "a leider stove",
    "a poster that says no puedo",
    "Ich sehe eine Katze auf dem Sofa",
    "我的猫在沙发上",
    "Maaf kucing",
    "A person apologizing to another",
    "Nana with a baby",
    "nun in a church",
    "Time out for the players",
]


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        *((text, Outcome.REFUSED) for text in REFUSALS),
        *((text, Outcome.MISSING) for text in TOOL_FAILURES),
        *((text, Outcome.BLOCKED) for text in BLOCKED),
        *((text, None) for text in CAPTIONS),
    ],
)
def test_what_a_text_stands_for(text: str, outcome: Outcome | None) -> None:
    assert failure_in(text) is outcome


def test_a_failure_keeps_its_text() -> None:
    caption = Caption("1", Outcome.OK, Reply("I cannot describe this."))
    failure = as_failure(caption)
    assert (failure.outcome, failure.text, failure.reply) == (Outcome.REFUSED, None, caption.reply)
    assert "I cannot describe this." in failure.error
    assert as_failure(as_failure(caption)) == failure
    other = Caption("1", Outcome.OK, Reply("a cat"))
    assert as_failure(other) is other
