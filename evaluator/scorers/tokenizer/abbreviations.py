"""Abbreviations whose period Stanford CoreNLP 3.4.1's English tokenizer keeps, measured on the program.

28,000 candidates, every string of up to three letters among them, were each put before another word. Any
single letter and any chain such as `U.S.` is an abbreviation too; the rules of the tokenizer see to those.

    >>> "etc" in BEFORE_MORE.split(), "dr" in BEFORE_A_NAME.split(), "fig" in BEFORE_A_NUMBER.split()
    (True, True, True)
"""

from __future__ import annotations

# Mostly before a lower-case word; one letter after the period does not make them a word with a dot inside.
BEFORE_MORE = """
al ala apr ariz assn aug bancorp bhd bldg blvd bros calif co colo conn corp cos ct dak dec esq est etc ext feb
fla fri ga inc ind intl jan jr jul jun kan kans ky ltd mar md mich minn mo mon mont neb nev nov oct okla penn
plc rd rt sep sept seq sq sr sys tel tenn thu thurs tue tues univ va vt wed wis wisc wyo
"""

# Mostly before a name.
BEFORE_A_NAME = """
adj adm adv alex assoc asst atty attys ave brig capt cf cie cmdr col comdr cpl dept det dr drs elec ens ft gen
gov govs hon insp invt jos lieut lt maj messrs mlle mme mr mrs ms msgr mt natl pfc ph pres prof profs rep reps
rev sen sens sfc sgt spc st ste supt supts treas vs wm
"""

# These only with a capital, since they are words of their own without it.
CAPITALISED = "Ark Az Del Ill La Mass Miss Ore Pa Tex Wash"

BEFORE_A_NUMBER = "art ca fig figs no nos op pp prop"

# After a single letter and its period, these begin a new sentence: the period is no part of the letter.
SENTENCE_OPENERS = """
A About According Additionally After An As At But Earlier He Her Here However If In It Last Many More Mr.
Ms. Now Once One Other Our She Since So Some Such That The Their Then There These They This We What When
While Yet You
"""
