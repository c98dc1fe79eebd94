"""From verified wheels to an index: a static folder (PEP 503, 691) or a server, and locks that name them.

`release.py` reads a wheel and its verification report, `index.py` renders pages, `folder.py` writes them,
`lock.py` writes constraints.txt and pylock.toml, `server.py` serves a folder for trying it, `upload.py` feeds
a server.
"""
