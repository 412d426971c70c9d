"""A PyTriton server with the tensors of NeMo-Aligner's `serve_reward_model.py`.

`python tests/integration/reward_tensors.py PORT` serves two models until interrupted:
`reward_model`, whose reward is a text's length in bytes, and `attributes`, a regression model
that counts the letters a, b and c; its older interface also tells which texts were cut.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from pytriton.decorators import batch  # type: ignore[import-not-found]
from pytriton.model_config import (  # type: ignore[import-not-found]
    DynamicBatcher,
    ModelConfig,
    Tensor,
)
from pytriton.triton import Triton, TritonConfig  # type: ignore[import-not-found]

LONGEST = 1000


def lengths(sentences: np.ndarray[Any, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """One reward a text."""
    return {"rewards": np.array([[len(row[0])] for row in sentences], np.float32)}


def letters(sentences: np.ndarray[Any, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """Three numbers a text, and whether it was cut."""
    counts = [[row[0].count(letter) for letter in (b"a", b"b", b"c")] for row in sentences]
    exceeded = [[len(row[0]) > LONGEST] for row in sentences]
    return {"rewards": np.array(counts, np.float32), "exceeded": np.array(exceeded)}


def main(port: int) -> None:
    """Serve."""
    texts = [Tensor(name="sentences", shape=(-1,), dtype=bytes)]
    exceeded = Tensor(name="exceeded", shape=(1,), dtype=np.bool_)
    place = {"http_address": "127.0.0.1", "http_port": port}
    config = TritonConfig(allow_grpc=False, allow_metrics=False, **place)
    with Triton(config=config) as triton:
        for name, function, columns, more in (
            ("reward_model", lengths, 1, []),
            ("attributes", letters, 3, [exceeded]),
        ):
            triton.bind(
                model_name=name,
                infer_func=batch(function),
                inputs=texts,
                outputs=[Tensor(name="rewards", shape=(columns,), dtype=np.float32), *more],
                config=ModelConfig(max_batch_size=9999999, batcher=DynamicBatcher()),
            )
        triton.serve()


if __name__ == "__main__":
    main(int(sys.argv[1]))
