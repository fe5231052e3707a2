"""Refusals in words: a model says that it cannot or does not want to describe the picture, or sees none.

    >>> is_refusal("I'm sorry, but I can't help with that."), is_refusal("A man who is sorry")
    (True, False)
    >>> is_refusal("Es tut mir leid, ich sehe kein Bild."), is_refusal("抱歉，我无法识别图片中的人物。")
    (True, True)

A refusal is known by how it begins. A caption that ends in an apology is still a caption.
"""

from __future__ import annotations

import re

from evaluator.audit.texts import Texts
from evaluator.core import Finding

_PICTURE = "(?:image|picture|photo|photograph|attachment|file)s?"
_PROVIDED = "(?:provided|attached|uploaded|shared|included|missing|loaded|visible to me|c[oa]me through)"
_NEAR = r"\b[^.\n]{0,40}"
_LACKING = rf"{_PICTURE}{_NEAR} {_PROVIDED}\b"
_DO = (
    "(?:assist|help|identif|recogni|see |view|describe|provide|process|access|analy|generate|create|comply"
    "|fulfil|answer|determine|discern|discuss|comment|caption|display|open|tell|make out|engage|continue"
    "|do that|directly|actually|currently|physically|fully|accurately|confidently|complete|give|offer"
    "|interpret|read)"
)
# One beginning a line: a regular expression in which a space is any white space.
ENGLISH = rf"""
i(?: am|['’]m|m)(?: very| so| really| truly)? (?:sorry|afraid (?:i|that))\b
(?:my |sincere )*apologies\b
i (?:do |must )*apologi[sz]e\b
(?:so )?sorry(?:[,.!:;]| -| but\b| i\b| i['’]m\b| about\b| for\b)
(?:i|we) (?:can(?:['’]t|not| not)|could(?:n['’]t| not)|won['’]t|will not|am not able to|am unable to) {_DO}
i['’]m (?:not able|unable) to {_DO}
unable to (?:assist|help|process|describe|identify|generate|provide|comply|analy[sz]e)
i (?:do not|don['’]t)(?: actually| currently)? see (?:an?|any|the|your) {_PICTURE}
i (?:do not|don['’]t)(?: actually| currently)? have (?:the )?(?:ability|capability|access|enough information)
i (?:do not|don['’]t)(?: actually| currently)? have (?:any|an?|the) {_PICTURE}
as an? (?:ai|artificial intelligence|(?:large )?language model|text-based)\b
i(?: am|['’]m)(?: just| only)? an? (?:ai|artificial intelligence|(?:large )?language model|text)\b
there (?:is|was|does(?:n['’]t| not) (?:seem|appear) to be) (?:no|an?){_NEAR} {_LACKING}
it (?:looks|seems|appears) (?:like|that|as if|as though){_NEAR} {_LACKING}
no {_PICTURE} (?:was|were|is|has been|have been) {_PROVIDED}\b
(?:please|could you|can you)(?: please)? (?:re)?-?(?:upload|attach|provide|share|send){_NEAR} {_PICTURE}
(?:this|your) request (?:violates|goes against|cannot|can['’]t)
"""
OTHER_LANGUAGES = r"""
(?:es )?tut mir (?:sehr )?leid\b
entschuldigung ?[,.!]
leider (?:kann|darf|sehe)\b
ich (?:kann|darf|sehe) (?:(?:dir|ihnen|das|dieses|leider|dabei|hier) )*(?:nicht|keine?n?)\b
als (?:ki|sprachmodell)\b
het spijt me\b
helaas kan ik\b
ik kan (?:(?:je|u|dit|deze) )*(?:niet|geen)\b
(?:jeg )?beklager\b
undskyld ?[,.!]
jeg kan (?:desværre |dessverre )?ikke\b
(?:ledsen|tyvärr|förlåt)(?: ?[,.]| kan| men)
jag kan (?:tyvärr )?inte\b
valitettavasti en\b
(?:je suis |nous sommes )?(?:vraiment )?désolée?s?(?: ?[,.!]| mais\b| je\b)
je m['’]excuse\b
(?:malheureusement,? )?je ne (?:peux|vois|suis|parviens) (?:pas|aucune|malheureusement)\b
en tant qu['’](?:ia|intelligence|assistant|modèle)
lo (?:siento|lamento)\b
(?:lamentablemente|desafortunadamente),? no (?:puedo|veo)\b
no (?:puedo|logro) (?:ayudar|ver|identificar|describir|procesar|proporcionar|analizar|asistir|acceder)
no veo (?:ninguna|la|una) (?:imagen|foto)
(?:me )?desculpe\b
sinto muito\b
(?:infelizmente,? )?(?:eu )?não (?:posso|consigo)\b
não vejo (?:nenhuma|uma)\b
mi (?:dispiace|scuso)\b
(?:purtroppo,? )?non (?:posso|riesco a)\b
non vedo (?:nessuna|alcuna)\b
îmi pare rău\b
ho sento\b
(?:bardzo )?(?:przepraszam|przykro mi)\b
(?:niestety,? )?nie (?:mogę|widzę)\b
omlouvám se\b
(?:je mi líto|bohužel)\b
извин(?:ите|яюсь)\b
простите\b
к сожалению\b
я не (?:могу|вижу)\b
мне (?:очень )?жаль\b
вибачте\b
на жаль\b
λυπάμαι\b
δεν μπορώ να\b
(?:üzgünüm|maalesef|özür dilerim)\b
(?:sajnálom|elnézést)\b
(?:أنا )?(?:آسف|آسفة|عذر|أعتذر|معذرة)
لا (?:أستطيع|يمكنني|أرى أي)
(?:אני )?(?:מצטער|סליחה)
(?:متأسف|ببخشید)
(?:क्षमा कर|माफ़ कर|मुझे खेद)
(?:非常|很|真的|真)?(?:抱歉|对不起|對不起|不好意思)
我(?:无法|無法|不能|看不到|没有看到|沒有看到)
(?:作为|作為)(?:一个|一個)?(?:ai|人工智能|语言模型)
(?:大変)?(?:申し訳|すみません|ごめんなさい)
画像(?:が|を)(?:見え|見ること|確認でき|表示され)
(?:정말 )?(?:죄송|미안)
이미지를 (?:볼|확인할) 수 없
(?:tôi )?(?:rất )?xin lỗi\b
tôi không thể\b
(?:mohon )?maaf ?[,.]
saya tidak (?:dapat|bisa)\b
(?:ขออภัย|ขอโทษ|ฉันไม่สามารถ)
"""
# "Unfortunately, I cannot" and "Hello! I'm sorry".
_GREETING = "(?:hi|hello|hmm+|oh|oops|unfortunately|regrettably|i see|thank you|thanks)"
_BEGINNINGS = "|".join(line for line in f"{ENGLISH}{OTHER_LANGUAGES}".splitlines() if line)
_PHRASE = rf"(?:{_GREETING}\b[^.!?,;:\n]{{0,40}}[,.!;:]+ )?(?:{_BEGINNINGS})"
_REFUSAL = re.compile(r"[\s\"'“”*_>]*+" + _PHRASE.replace(" ?", r"\s?").replace(" ", r"\s+"), re.IGNORECASE)


def refusals(texts: Texts) -> Finding | None:
    return texts.where("refusal", is_refusal)


def is_refusal(text: str) -> bool:
    return _REFUSAL.match(text) is not None
