"""METEOR 1.5 without Java: from texts to the statistics that `evaluator.core.meteor` makes scores of.

language.py   what it knows of English, from the files that pycocoevalcap installs
texts.py      words, synonyms and paraphrases of many texts
aligner.py    which words stand for which
segments.py   one row of statistics a caption
engines.py    the same by the Java program, and in several processes
"""
