"""Models that are run and optimized."""

from __future__ import annotations


def inference() -> object:
    """Results of a model that the wheel has, and of one made here, optimized and not."""
    import numpy as np
    import onnxruntime as ort
    from onnx import TensorProto, helper, numpy_helper
    from onnxruntime import datasets

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
    plain = ort.SessionOptions()
    plain.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(model.SerializeToString(), plain)
    found.append(session.run(None, {"x": x})[0].round(5).tolist())
    session = ort.InferenceSession(datasets.get_example("sigmoid.onnx"))
    shape = session.get_inputs()[0].shape
    value = np.linspace(-3, 3, int(np.prod(shape))).reshape(shape).astype(np.float32)
    found.append(session.run(None, {session.get_inputs()[0].name: value})[0].round(5).ravel().tolist())
    return [found, ort.get_available_providers(), sorted(name for name in dir(ort) if name[0] != "_")]
