"""`python -m bookgen`: serves until it is stopped. BOOKGEN_DB is SQLAlchemy's address of the store."""

from __future__ import annotations

import argparse
import os

from aiohttp import web

from bookgen.service import make_app
from bookgen.store import Shelf


def main() -> None:
    """Reads the address to listen on, and serves."""
    parser = argparse.ArgumentParser(prog="bookgen", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    options = parser.parse_args()
    shelf = Shelf(os.environ.get("BOOKGEN_DB", "sqlite://"))
    web.run_app(make_app(shelf), host=options.host, port=options.port)


if __name__ == "__main__":
    main()
