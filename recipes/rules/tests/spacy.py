"""Pipelines without a model: tokens, rules, matching, updates, and saving."""

from __future__ import annotations


def languages() -> object:
    """Tokens in German, English and several languages at once, and a small text classifier."""
    import tempfile

    import spacy
    from spacy.matcher import Matcher, PhraseMatcher
    from spacy.training import Example
    from spacy.util import fix_random_seed

    text = "Dr. Müller kaufte z.B. 3,5 kg Äpfel. He's paid $5.20, isn't he? See https://example.org/a."
    found = []
    for name in ("de", "en", "xx", "ja"):
        try:
            nlp = spacy.blank(name)
        except ImportError as fault:  # Japanese needs SudachiPy
            found.append(str(fault).split("\n")[0][:60])
            continue
        nlp.add_pipe("sentencizer")
        doc = nlp(text)
        found.append([[t.text, t.norm_, t.like_num, t.is_stop, t.like_url] for t in doc])
        found.append([sentence.text for sentence in doc.sents])
    nlp = spacy.blank("en")
    matcher, phrases = Matcher(nlp.vocab), PhraseMatcher(nlp.vocab)
    matcher.add("N", [[{"LIKE_NUM": True}, {"LOWER": "kg"}]])
    phrases.add("P", [nlp.make_doc("isn't he")])
    doc = nlp("3 kg, isn't he")
    found.append([[start, end] for _, start, end in (*matcher(doc), *phrases(doc))])
    fix_random_seed(0)
    categories = nlp.add_pipe("textcat")
    categories.add_label("A")
    categories.add_label("B")
    rows = [
        Example.from_dict(nlp.make_doc(t), {"cats": {"A": a, "B": 1 - a}})
        for t, a in (("good", 1), ("bad", 0))
    ]
    optimizer = nlp.initialize(lambda: rows)
    losses = [nlp.update(rows, sgd=optimizer)["textcat"] for _ in range(5)]
    with tempfile.TemporaryDirectory() as folder:
        nlp.to_disk(folder)
        again = spacy.load(folder)
    return [found, [round(float(loss), 4) for loss in losses], again.pipe_names]
