"""Where tables come from and where they go: files, databases and frames."""

from kernel_tools.wrangler.sources.formats import formats
from kernel_tools.wrangler.sources.frames import frame_source
from kernel_tools.wrangler.sources.loaded import ColumnType, Loaded
from kernel_tools.wrangler.sources.loading import load
from kernel_tools.wrangler.sources.parameters import parameter_values
from kernel_tools.wrangler.sources.writing import write

__all__ = ["ColumnType", "Loaded", "formats", "frame_source", "load", "parameter_values", "write"]
