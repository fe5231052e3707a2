"""METEOR 1.5 without Java: from texts to the statistics that `evaluator.core.aggregates.meteor` scores.

language.py   word lists, synonyms and paraphrases, from the files that pycocoevalcap installs
texts.py      the words and phrases of many texts, and which of them match
aligner.py    the best alignment of a caption with a reference
segments.py   one row of statistics per caption
engines.py    the same in several processes, and by the Java program
"""
