"""`spokeshave trace`: what a program loads of the stack, and the profile that keeps no more than that.

`inject` runs the command with `recorder` in each of its Python processes; `record` is what came of it, a file
that several runs share; `evidence` says why a component is used; `resolve` finds the largest set of
components that may go; `recheck` runs the command again without them, on the copy of its packages that
`overlay` makes; `text` writes it as a profile.
"""
