"""The install commands of docs/how-to/publish-and-install.md, as they are, beside a hostile default index."""

from __future__ import annotations

import re
import zipfile

import pytest

from howtos import ADDRESS, FIRST, INSTALLS, README, WHOLE, Shell, blocks, fenced
from support import ROOT
from venvs import target_python

pytestmark = pytest.mark.network


def test_howto_wheelhouse_install_by_uv_takes_nothing_from_a_hostile_index(shell: Shell) -> None:
    """The page says that uv takes the words of the pip commands there."""
    (commands,) = (block for block in INSTALLS if "--lock wheelhouse" in block[0])
    done = shell.run(*(line.replace("pip install", "uv pip install") for line in commands))
    assert done.returncode == 0, done.stderr
    assert shell.installer.got() == {**WHOLE, "app==1.0": "public"}


def test_howto_has_every_kind_of_install() -> None:
    assert len(INSTALLS) == 7, "pip and uv: by constraints, by pylock.toml, partial; from the wheelhouse"


def test_howto_first_install_is_the_one_of_the_readme() -> None:
    _, (activate, *_), in_readme = blocks("Two commands", README)
    assert activate == ". .venv/bin/activate"
    assert in_readme == FIRST


def test_howto_first_install_takes_our_wheels_by_hash(shell: Shell) -> None:
    build, verify, *rest = FIRST
    assert (build, verify) == (
        "spokeshave build --all --profile lean",
        "spokeshave verify wheelhouse/*+lean*.whl --level smoke",
    )
    done = shell.run(*rest)
    assert done.returncode == 0, done.stderr
    assert shell.installer.got() == WHOLE


@pytest.mark.parametrize("commands", INSTALLS, ids=lambda commands: commands[-1][:60])
def test_howto_install_takes_nothing_from_a_hostile_index(served: Shell, commands: list[str]) -> None:
    done = served.run(*commands)
    assert done.returncode == 0, done.stderr
    app = {"app==1.0": "public"} if "requirements.txt" in commands[-1] else {}
    assert served.installer.got() == {**WHOLE, **app}


@pytest.mark.parametrize(
    "command",
    [
        "pip install --find-links wheelhouse numpy==2.4.6+lean.1",
        "pip install --find-links wheelhouse -c index/pins.txt numpy",
        f"pip install --index-url {ADDRESS} --extra-index-url $PIP_INDEX_URL numpy==2.4.6+lean.1",
        f"uv pip install --default-index {ADDRESS} --index $PIP_INDEX_URL numpy==2.4.6+lean.1",
        "uv pip install --find-links wheelhouse numpy",
    ],
)
def test_howto_install_that_it_warns_of_takes_another_file(served: Shell, command: str) -> None:
    done = served.run(command)
    assert done.returncode == 0, done.stderr
    assert "evil" in served.installer.got().values()


def test_howto_lambda_layer_holds_our_wheels(shell: Shell) -> None:
    page = (ROOT / "docs" / "how-to" / "aws-lambda.md").read_text("utf-8")
    (commands,) = re.findall(r"(?ms)^```\n(.*?)^```", page)
    done = shell.run(*commands.splitlines())
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(shell.root / "layer.zip") as layer:
        texts = {
            name: layer.read(name).decode() for name in layer.namelist() if name.endswith("/__init__.py")
        }
    found = {name.split("/")[1]: text.strip() for name, text in texts.items()}
    assert found["numpy"] == found["slim_openblas"] == "value = 'ours'"
    assert found["six"] == "value = 'public'"
    assert not [name for name in layer.namelist() if name.endswith(".pyc")]


def test_tutorial_install_takes_our_wheels_by_hash(shell: Shell) -> None:
    page = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
    ((_, commands),) = fenced("4. Install it", page)
    done = shell.run(*commands.replace("python3.11", target_python()).splitlines())
    assert done.returncode == 0, done.stderr
    assert re.search(r"(?m)^numpy +2\.4\.6\+lean\.1$", done.stdout)
