"""Built wheels compared with PyPI's: contents, imports, and upstream's tests one by one."""
