"""The model of `examples/`, as small as it gets: its step is traced in a second."""

from examples.tiny_model.options import TinyOptions

KIND = "examples.tiny_model.model:TinyModel"
OPTIONS = TinyOptions(resolution=32, width=4, code_length=8, batch_size=2, xla=False, seed=3,
                      sample_threads=1)
FLAGS = ("--model", KIND, "--resolution", "32", "--width", "4", "--code-length", "8",
         "--batch-size", "2", "--no-xla", "--seed", "3", "--sample-threads", "1")
