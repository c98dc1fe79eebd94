"""Tables in memory and in files, through pyarrow and through pandas."""

from __future__ import annotations


def tables() -> object:
    """Parquet, Feather, CSV, JSON, ORC, datasets, kernels, memory maps, substrait."""
    import io
    import tempfile
    from pathlib import Path

    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.csv
    import pyarrow.dataset as ds
    import pyarrow.feather
    import pyarrow.fs
    import pyarrow.json
    import pyarrow.orc
    import pyarrow.parquet as pq
    import pyarrow.substrait

    table = pa.table({"a": [1, 2, None], "b": ["x", "y", "x"], "c": [1.5, 2.5, 3.5]})
    found = [
        table.schema.to_string(),
        pc.sum(table["a"]).as_py(),
        table.group_by("b").aggregate([("c", "sum")]).to_pylist(),
    ]
    with tempfile.TemporaryDirectory() as folder:
        for number, codec in enumerate(("snappy", "zstd", "gzip", "brotli", "lz4")):
            pq.write_table(table, Path(folder, f"{number}.parquet"), compression=codec)
        pa.feather.write_feather(table, Path(folder, "a.feather"))
        pa.orc.write_table(table, Path(folder, "a.orc"))
        files = ds.dataset([str(path) for path in sorted(Path(folder).glob("*.parquet"))])
        found += [files.to_table(filter=ds.field("b") == "x").to_pydict()]
        found += [pa.feather.read_table(Path(folder, "a.feather")).to_pydict()]
        found += [pa.orc.read_table(Path(folder, "a.orc")).to_pydict()]
        frame = pd.read_parquet(Path(folder, "0.parquet"))
        frame.to_parquet(Path(folder, "z.parquet"))
        found += [frame.to_dict("list")["b"], pd.read_parquet(Path(folder, "z.parquet")).shape]
        local = pyarrow.fs.LocalFileSystem()
        found += [sorted(one.base_name for one in local.get_file_info(pyarrow.fs.FileSelector(folder)))]
    found += [pa.csv.read_csv(io.BytesIO(b"a,b\n1,x\n")).to_pydict()]
    found += [pa.json.read_json(io.BytesIO(b'{"a": 1}\n')).to_pydict()]
    found += [len(pc.list_functions()), len(pyarrow.substrait.get_supported_functions())]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return [*found, pa.ipc.open_stream(sink.getvalue()).read_all().to_pydict()]
