"""Where tables come from and where they go: files, databases and frames."""

from kernel_tools.wrangler.sources.formats import formats
from kernel_tools.wrangler.sources.frames import frame_source
from kernel_tools.wrangler.sources.loaded import ColumnType, Loaded
from kernel_tools.wrangler.sources.loading import load

__all__ = ["ColumnType", "Loaded", "formats", "frame_source", "load"]
