"""The list of public names, configurations of all models, tokenizers, and who imports the removed sources."""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path


def _importers(package: Path) -> list[str]:
    """The files that import a module `modular_*`, besides such modules."""
    found = []
    for path in sorted(package.rglob("*.py")):
        text = path.read_text("utf-8")
        if path.name.startswith("modular_") or "modular_" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [getattr(node, "module", None) or "", *(one.name for one in node.names)]
                if any(part.startswith("modular_") for name in names for part in name.split(".")):
                    found.append(f"{path.name}:{node.lineno}")
    return found


def _tokens() -> object:
    """Tokens of a small vocabulary, saved and loaded again."""
    import tempfile

    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    words = {word: number for number, word in enumerate(["[UNK]", "[PAD]", "a", "small", "text"])}
    inner = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, unk_token="[UNK]", pad_token="[PAD]")
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        again = AutoTokenizer.from_pretrained(folder)
    return [dict(one(["a small", "large text a"], padding=True)) for one in (tokenizer, again)]


def models() -> object:
    """All public names with their modules, `tokenizers`, and the error of a model without PyTorch."""
    import transformers

    if importers := _importers(Path(transformers.__file__).parent):
        raise ValueError(f"these import modular sources: {importers}")
    try:
        transformers.AutoModel.from_pretrained("absent")
        fault = ""
    except ImportError as one:
        fault = str(one).strip()[:100]
    return [sorted(transformers._class_to_module.items()), fault, tokenizers()]


def tokenizers() -> object:
    """The names that are not of models, a configuration of each model, and tokens."""
    import transformers
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    configurations = {}
    for kind in sorted(CONFIG_MAPPING.keys()):
        try:
            text = CONFIG_MAPPING[kind]().to_json_string()
            configurations[kind] = hashlib.sha256(text.encode()).hexdigest()[:12]
        except Exception as fault:  # some need a part, or a package
            configurations[kind] = type(fault).__name__
    modules = transformers._class_to_module
    names = sorted(name for name in modules if ".modeling_" not in f".{modules[name]}")
    return [names, configurations, _tokens()]
