"""Options of a run, each declared once, in `rmjudge.options.run`."""

from rmjudge.options.run import OPTIONS, ProviderOptions, RunOptions

__all__ = ["OPTIONS", "ProviderOptions", "RunOptions"]
