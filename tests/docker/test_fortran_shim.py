"""scipy.odr's report writer (a patch of scipy's recipe) against libgfortran, in the build image."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest

from spokeshave.build.images.local import local_image
from spokeshave.inside.model import Target
from spokeshave.inside.run import run
from spokeshave.machine.containers import Containers
from support import RECIPES, docker_fault

PATCH = RECIPES / "scipy/patches/0002-odr-reports-without-libgfortran.patch"
NEW = "+++ b/scipy/odr/odrpack/report_io.c\n"

# Each kind of WRITE and edit descriptor that d_odr.f has.
PROBE = """\
      SUBROUTINE REPORT(LUN, I, S, A)
      INTEGER LUN, I, J
      CHARACTER S*(*), FMT1*90
      DOUBLE PRECISION A(3,2)
      WRITE (LUN,1000) I, I, S, A(1,1), A(2,1)
      WRITE (LUN,1000) I, I, S
      WRITE (LUN,1100) I, (A(1,J),J=1,2), (A(J,2),J=1,3)
      WRITE (LUN,1200) A(1,2), A(1,2), (J,J=1,2)
      WRITE (FMT1,1300) 3, 2
      WRITE (LUN,FMT1) (J,J=1,3), (J,J=1,2)
      WRITE (LUN,1400) S, FMT1
 1000 FORMAT (//' IT''S (',I3,',',I5.4,')',3X,A5,1P,2D12.3,' END'/)
 1100 FORMAT (7X,I7,1P,D16.8,D10.1,3D17.8)
 1200 FORMAT (1X,1P,E10.1,D13.5,2(2X,I1,' TO'))
 1300 FORMAT ('(/''  I'',',I2,'(''   D('',I1,'')''),',I2,'(''E('',I1,'')'')/)')
 1400 FORMAT (A,2X,A90,3X)
      END
"""
OPEN = """\
      SUBROUTINE DLUNO(LUN, FN)
      CHARACTER*(*) FN
      OPEN(UNIT=LUN, FILE=FN, STATUS='NEW')
      END
      SUBROUTINE DLUNC(LUN)
      CLOSE(UNIT=LUN)
      END
"""
DRIVER = """\
#include <stdio.h>
#include <string.h>
void dluno_(int *, const char *, long), dlunc_(int *), report_(int *, int *, const char *, double *, long);
int main(int count, char **words) {
    int unit = 19, number;
    char text[80];
    double a[6];
    FILE *values = fopen("values", "rb");
    dluno_(&unit, words[count - 1], (long)strlen(words[count - 1]));
    while (fread(&number, 4, 1, values) == 1 && fread(text, 1, 8, values) == 8 && fread(a, 8, 6, values) == 6)
        report_(&unit, &number, text, a, 8);
    dlunc_(&unit);
    return 0;
}
"""
SCRIPT = """\
set -e
for level in -O0 -O2 -Os; do
    gfortran $level -w -std=legacy -ffixed-line-length-none -c probe.f open.f
    gcc -O2 -Wall -Wextra -Werror -c report_io.c driver.c
    gfortran driver.o probe.o open.o -o theirs
    gfortran -Wl,--as-needed driver.o probe.o report_io.o -o ours
    readelf -d theirs | grep -q 'NEEDED.*libgfortran'
    ! readelf -d ours | grep 'NEEDED.*libgfortran'
    rm -f out/*
    ./theirs out/theirs
    ./ours 'out/ours '
    cmp out/theirs out/ours
done
"""


def values() -> bytes:
    """Records of a number, a text and six reals: all kinds of edges, and whatever bits come."""
    dice = random.Random(19)
    edges = [0.0, -0.0, float("nan"), float("inf"), -float("inf"), 5e-324, -1.7976931348623157e308, 9.995]
    edges += [9.9999999949, 9.999999995, 9.9999e99, 9.99999999999e99, 1e100, -1e-99, 1e-100, 0.125, 2.5]
    numbers = [0, 1, 9, -1, 99, -99, 999, 1000, -999, 9999, 99999, 2147483647, -2147483648]
    texts = [b"        ", b"NO      ", b"FIXED   ", b"TOO LONG"]
    records = []
    for _ in range(2000):
        reals = [
            dice.choice(edges),
            struct.unpack("d", dice.randbytes(8))[0],
            dice.uniform(-10, 10) * 10.0 ** dice.randrange(-110, 110),
            dice.choice(edges),
            round(dice.uniform(-10, 10), dice.randrange(9)),
            dice.randrange(1 << 20) / 2.0 ** dice.randrange(30),
        ]
        records.append(struct.pack("=i8s6d", dice.choice(numbers), dice.choice(texts), *reals))
    return b"".join(records)


def test_reports_are_libgfortrans_to_the_byte(tmp_path: Path) -> None:
    containers = Containers(runner=run)
    image = local_image("build", Target()).reference
    if fault := docker_fault():
        pytest.skip(fault)
    if not containers.image_id(image):
        pytest.skip(f"{image} is not made yet")
    folder = tmp_path / "work"
    (folder / "out").mkdir(parents=True)
    body = PATCH.read_text("utf-8").partition(NEW)[2].splitlines()[1:]
    assert all(line.startswith("+") for line in body), "the new file is the patch's last"
    shim = "".join(line[1:] + "\n" for line in body)
    files = {"report_io.c": shim, "probe.f": PROBE, "open.f": OPEN, "driver.c": DRIVER, "run.sh": SCRIPT}
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    (folder / "values").write_bytes(values())
    done = containers.run(
        image=image,
        folders={folder: "/work"},
        argv=("sh", "run.sh"),
        collect={"/work/out": tmp_path / "out"},
        log=tmp_path / "log",
        workdir="/work",
    )
    assert done.ok, done.output
    assert (tmp_path / "out/ours").stat().st_size > 500_000
