"""A small report of two wheels beside stock, for the page's tests."""

from __future__ import annotations

from spokeshave.inside.sizes import FileSize, Sizes, by_kind
from spokeshave.report.blas import Backend
from spokeshave.report.summary import Report
from spokeshave.report.waterfall import ComponentRow, LeverRow

EVIL = "numpy/_core/<script>alert('x')</script>&\".py"

PROVED = "verified (core, 45,398 upstream tests passed)"

_STOCK = {
    "numpy/_core/_multiarray_umath.cpython-311-x86_64-linux-gnu.so": 10_400_000,
    "numpy/_core/tests/test_multiarray.py": 420_000,
    "numpy/_core/fromnumeric.py": 150_000,
    "numpy/__init__.pyi": 236_000,
    "numpy/_core/include/numpy/arrayobject.h": 90_000,
    EVIL: 70_000,
    "numpy.libs/libscipy_openblas64_-32a4b2a6.so": 25_400_000,
    "numpy.libs/libgfortran-040039e1.so.5.0.0": 2_800_000,
}
_OURS = {name: size for name, size in _STOCK.items() if "tests" not in name and ".libs" not in name}
_BLAS = {"slim_openblas/lib/libopenblas_slim.so.0": 10_500_000, "slim_openblas/__init__.py": 900}


def _sizes(name: str, files: dict[str, int], bytecode: int | None) -> Sizes:
    return Sizes(
        name=f"{name}-cp311-cp311-linux_x86_64.whl",
        wheel=sum(files.values()) // 3,
        unpacked=sum(files.values()),
        bytecode=bytecode,
        kinds=by_kind(files),
        files=tuple(
            FileSize(name=n, size=s, packed=s // 4, bytecode=bytecode if n.endswith(".py") else 0)
            for n, s in files.items()
        ),
    )


def small_report(bytecode: int | None = 1000) -> Report:
    """Ours beside stock, with a file name that is no friend of HTML."""
    return Report(
        ours=(_sizes("numpy-2.4.6+lean.1", _OURS, bytecode), _sizes("slim_openblas-0.3.31", _BLAS, bytecode)),
        stock=(_sizes("numpy-2.4.6", _STOCK, bytecode),),
        levers=(
            LeverRow(wheel="numpy", lever="tests", saved=420_000, files=1, note=""),
            LeverRow(wheel="numpy", lever="unwind", saved=None, files=0, note="acts on the compile"),
            LeverRow(wheel="slim_openblas", lever="symbols", saved=1_200_000, files=1, note=""),
        ),
        components=(
            ComponentRow(
                wheel="numpy", component="f2py", saved=300_000, files=7, reason="no <Fortran> & no f2py"
            ),
        ),
        blas=Backend(
            distribution="slim-openblas",
            version="0.3.31",
            integers=("ilp64", "lp64"),
            unpacked=10_500_900,
            stock_unpacked=28_200_000,
        ),
        verified={
            "numpy-2.4.6+lean.1-cp311-cp311-linux_x86_64.whl": PROVED,
            "slim_openblas-0.3.31-cp311-cp311-linux_x86_64.whl": "not verified",
        },
    )
