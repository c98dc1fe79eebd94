"""Models that are run, optimized and quantized."""

from __future__ import annotations


def inference() -> object:
    """Results of the models that the wheel has, of one made here, and of that one quantized."""
    import tempfile
    from pathlib import Path

    import numpy as np
    import onnx
    import onnxruntime as ort
    from onnx import TensorProto, helper, numpy_helper
    from onnxruntime import datasets
    from onnxruntime.quantization import quantize_dynamic

    rng = np.random.default_rng(0)
    weights = numpy_helper.from_array(rng.normal(size=(8, 4)).astype(np.float32), "w")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"]), helper.make_node("Softmax", ["y"], ["z"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 8])],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, [None, 4])],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    x = rng.normal(size=(3, 8)).astype(np.float32)
    found = [ort.InferenceSession(model.SerializeToString()).run(None, {"x": x})[0].round(5).tolist()]
    with tempfile.TemporaryDirectory() as folder:
        path, small = Path(folder, "a.onnx"), Path(folder, "b.onnx")
        onnx.save(model, path)
        quantize_dynamic(path, small)
        found.append(ort.InferenceSession(small).run(None, {"x": x})[0].round(3).tolist())
    session = ort.InferenceSession(datasets.get_example("sigmoid.onnx"))
    shape = session.get_inputs()[0].shape
    value = np.linspace(-3, 3, int(np.prod(shape))).reshape(shape).astype(np.float32)
    found.append(session.run(None, {session.get_inputs()[0].name: value})[0].round(5).ravel().tolist())
    return [found, ort.get_available_providers(), sorted(name for name in dir(ort) if name[0] != "_")]
