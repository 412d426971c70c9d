"""Options of a run, each declared once, in `rmjudge.options.run`."""

from rmjudge.options.provider import ProviderOptions
from rmjudge.options.run import OPTIONS, RunOptions

__all__ = ["OPTIONS", "ProviderOptions", "RunOptions"]
