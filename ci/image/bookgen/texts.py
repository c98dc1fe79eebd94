"""Words, sentences and stems, with those parts of NLTK that need no downloaded data."""

from __future__ import annotations

from collections import Counter

from nltk import FreqDist
from nltk.stem.snowball import SnowballStemmer
from nltk.tokenize import NLTKWordTokenizer, PunktSentenceTokenizer
from nltk.util import ngrams

STOPWORDS = frozenset(
    "a an and are as at be but by for from had has have he her his in is it its not of on or she so that the "  # noqa: SIM905
    "their them they this to was were what when which who will with you".split()
)
STEMMED = {"de": "german", "en": "english", "es": "spanish", "fr": "french", "it": "italian"}


def words(text: str) -> list[str]:
    """All words in lower case, as the Penn Treebank divides a sentence, without punctuation and figures."""
    tokenizer = NLTKWordTokenizer()
    tokens = (token for sentence in sentences(text) for token in tokenizer.tokenize(sentence))
    return [token.lower() for token in tokens if token.isalpha()]


def sentences(text: str) -> list[str]:
    """The sentences; abbreviations are learned from the text itself."""
    return list(PunktSentenceTokenizer(text).tokenize(text))


def stems(text: str, language: str = "en") -> list[str]:
    """Stems of the words that mean something; in a language without a stemmer, the words themselves."""
    wanted = [word for word in words(text) if word not in STOPWORDS]
    if language not in STEMMED:
        return wanted
    stemmer = SnowballStemmer(STEMMED[language])
    return [stemmer.stem(word) for word in wanted]


def frequencies(text: str) -> list[int]:
    """How often each word occurs, the most frequent first."""
    return [count for _, count in FreqDist(words(text)).most_common()]


def pairs(text: str, most: int = 5) -> list[tuple[str, str]]:
    """The pairs of neighbouring words that occur more than once, the most frequent first."""
    counted = Counter(pair for sentence in sentences(text) for pair in ngrams(words(sentence), 2))
    return [pair for pair, count in counted.most_common(most) if count > 1]
