"""The message of stub modules: how it is written into wheels, and how it is recognised later."""

from __future__ import annotations

import re

from spokeshave.inside.model import BuildPlan, Removed

MARK = " is not in this wheel of "  # the trace recorder, which runs without spokeshave, has a copy
_REMOVED = re.compile(rf"{MARK.strip()} (\S+) \(\S+\): profile '[^']*' removes component '([^']+)'")

# `from package import module` passes over an error of the module's own name (importlib's _handle_fromlist)
# and ends in an ImportError that says nothing: hence a name that only importlib takes for another one.
NAME = '''class Name(str):
    """The module's name; importlib does not know it again, or `from package import module` hid the error."""

    __slots__ = ()

    def __eq__(self, other):
        return str(self) == other and sys._getframe(1).f_code.co_name != "_handle_fromlist"

    __hash__ = str.__hash__

    def __reduce__(self):
        return str, (str(self),)
'''


def removed_message(plan: BuildPlan, removed: Removed, module: str) -> str:
    """The message for a module of a removed component: who removed it, why, and how to get it back."""
    return (
        f"{module}{MARK}{plan.distribution} ({plan.local_version}): profile "
        f"{plan.profile!r} removes component {removed.component!r} ({removed.reason}). To get it back, "
        f"install a wheel of a profile that keeps {removed.component!r}, such as 'full', or upstream's "
        f"{plan.distribution}=={plan.version}."
    )


def is_for(module: str, error: str) -> bool:
    """Whether an error is that of a module's own stub."""
    return f"ModuleNotFoundError: {module}{MARK}" in error


def components_in(text: str) -> list[tuple[str, str]]:
    """The (distribution, component) pairs of the messages in a text, in order."""
    return _REMOVED.findall(text)
