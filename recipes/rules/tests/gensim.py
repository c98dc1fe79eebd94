"""Models of the small corpus of gensim.test.utils."""

from __future__ import annotations


def models() -> object:
    """Vectors, topics and similarities, saved and loaded again."""
    from gensim import corpora, models, similarities
    from gensim.test.utils import common_corpus, common_dictionary, common_texts, get_tmpfile

    one = {"seed": 1, "workers": 1, "min_count": 1, "vector_size": 8}
    words = models.Word2Vec(common_texts, **one)
    path = get_tmpfile("words")
    words.save(path)
    tfidf = models.TfidfModel(common_corpus)
    index = similarities.MatrixSimilarity(tfidf[common_corpus], num_features=len(common_dictionary))
    lda = models.LdaModel(common_corpus, num_topics=2, id2word=common_dictionary, random_state=0)
    return [
        models.Word2Vec.load(path).wv["human"].round(5).tolist(),
        models.FastText(common_texts, **one).wv["humans"].round(5).tolist(),
        [[i, round(float(s), 4)] for i, s in enumerate(index[tfidf[common_corpus[0]]])],
        [[i, str(t)] for i, t in lda.print_topics()],
        models.Phrases(common_texts, min_count=1, threshold=1)[["graph", "minors"]],
        corpora.Dictionary(common_texts).token2id,
    ]


def documentation() -> object:
    """The sizes of the files that docstrings open with datapath(), and of those that belong to them."""
    import re
    from pathlib import Path

    import gensim

    root = Path(gensim.__file__).parent
    sources = [path for path in root.rglob("*.py*") if not path.name.startswith("test_")]
    texts = "".join(path.read_text("utf-8", "replace") for path in sources if path.suffix in (".py", ".pyx"))
    names = sorted(set(re.findall(r"datapath\(\s*['\"]([^'\"]+)", texts)))
    folder = root / "test" / "test_data"
    sizes = {name: [one.stat().st_size for one in sorted(folder.glob(f"{name}*"))] for name in names}
    return [sizes, models()]
