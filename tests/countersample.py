"""A counter file, one of which nothing ran, and the manifest of a bundle, for what tests of training read."""

from __future__ import annotations

from spokeshave.build.pgo.bundle import Manifest

# Written by gcc 12.2 for `int f(int x) {…} int g(int x) {…} int main(void) { return f(-1); }`.
WRITTEN = bytes.fromhex(
    "616463672a323242399dbc18f661f71f000000a1080000000100000001000000000000010c000000eb727006da666ae53eb2bbc0"
    "0000a10110000000010000000000000001000000000000000000af01080000000100000000000000000000010c00000010242a56"
    "7e31f25fe8e95ddb0000a101f8ffffff0000af01f8ffffff000000010c000000cce53304a2f0eb8de8e95ddb0000a10108000000"
    "01000000000000000000af0108000000020000000000000000000000"
)
IDLE = WRITTEN[:32] + bytes.fromhex("000000010c000000eb727006da666ae53eb2bbc00000a101f8ffffff00000000")
MANIFEST = Manifest(
    package="numpy",
    version="2.4.6",
    profile="lean",
    source="a" * 64,
    flags="-O2",
    compiler="B42*",
    image="sha256:1",
    fits="b" * 64,
    work=(),
    files=1,
    functions=3,
    ran=2,
)
