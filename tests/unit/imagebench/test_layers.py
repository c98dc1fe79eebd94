"""Layers are read from what Docker prints."""

from __future__ import annotations

import json

from imagebench.layers import Layer, parse_history, readable

SUM = "0123456789abcdef" * 4
ROWS = [
    {"CreatedBy": '/bin/sh -c #(nop)  CMD ["python" "-m" "bookgen"]', "Size": "0", "Comment": ""},
    {"CreatedBy": f"/bin/sh -c #(nop) COPY dir:{SUM} in /srv/venv ", "Size": "449542961", "Comment": ""},
    {"CreatedBy": '|1 PACKAGES= /bin/sh -c [ -z "$PACKAGES" ]', "Size": "0", "Comment": ""},
    {"CreatedBy": "", "Size": "343406919", "Comment": "Imported from -"},
]


def test_layers_come_oldest_first_without_empty_ones() -> None:
    text = "\n".join(json.dumps(row) for row in ROWS) + "\n"
    assert parse_history(text) == (
        Layer(made_by="Imported from -", size=343_406_919),
        Layer(made_by="COPY … in /srv/venv", size=449_542_961),
    )


def test_a_step_is_told_as_it_was_written() -> None:
    assert readable("|2 COMPILE=yes INDEX=file:///w /bin/sh -c pip install  -r x") == "RUN pip install -r x"
    assert readable(f"/bin/sh -c #(nop) ADD file:{SUM} in / ") == "ADD … in /"
    assert readable("RUN /bin/sh -c apt-get update # buildkit") == "RUN /bin/sh -c apt-get update # buildkit"
