"""`spokeshave trace`: records what a program loads of the stack, and writes a profile that keeps no more.

`inject` runs the command with `recorder` in each of its Python processes. `record` is the file of one or more
runs. `evidence` says why a component is used, and `resolve` finds the largest set of components that can be
removed. `recheck` runs the command again without them: `trimmed_run`, on the copy that `overlay` makes.
`profile_writer` writes the profile.
"""
