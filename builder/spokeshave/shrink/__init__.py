"""From requirements to an index of slim wheels: resolve, fetch, choose, check, write.

`inputs.py` reads what users have, `resolving.py` picks PyPI's wheels for the target, `fetching.py` stores
them by hash, `built_wheels.py` finds what spokeshave built,
`tiers.py` makes the smallest wheel of each, `paired_check.py` compares both sets in two venvs,
`results.py` writes the index and its companions, `stages.py` calls these in order.
"""
