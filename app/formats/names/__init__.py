"""Names that spell a format out: `e5m10`, `int5`, `posit12:es=1`, `q7.8`, `binary8p3se`, `codebook:-1,0,1`."""

from app.formats.names.spelled import spelled_format

__all__ = ["spelled_format"]
