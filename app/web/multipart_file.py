"""Picks the one file out of a multipart body as it arrives: nothing is spooled, nothing is held."""

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from app.errors import InvalidInput

FIELD = b"file"
LONGEST_PART_HEADER = 32 * 1024
"""Bytes; enough for any file name, which is cut only when it is shown."""


class MultipartFile:
    """Fed with pieces of the body, gives back the pieces of the part named `file`; other parts are dropped."""

    def __init__(self, content_type: str) -> None:
        kind, parameters = parse_options_header(content_type)
        boundary = parameters.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not 1 <= len(boundary) <= 70:
            raise InvalidInput("upload.not-multipart")
        self.name: str | None = None
        """The file's name as the browser gave it, once the part has begun."""
        self.complete = False
        self._inside = False
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._disposition = b""
        self._content: list[bytes] = []
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_field": self._add_header_name,
                "on_header_value": self._add_header_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._begin_content,
                "on_part_data": self._add_content,
                "on_part_end": self._end_part,
            },
            max_header_size=LONGEST_PART_HEADER,
        )

    def feed(self, piece: bytes) -> list[bytes]:
        """What this piece of the body holds of the file's content.

        Raises:
            InvalidInput: `upload.malformed`, or `upload.two-files` when a second part named `file` begins.
        """
        try:
            self._parser.write(piece)
        except FormParserError as error:
            raise InvalidInput("upload.malformed") from error
        content, self._content = self._content, []
        return content

    def _begin_part(self) -> None:
        self._disposition = b""

    def _add_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _add_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _end_header(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            self._disposition = bytes(self._header_value)
        self._header_name.clear()
        self._header_value.clear()

    def _begin_content(self) -> None:
        _, parameters = parse_options_header(self._disposition.decode("latin-1"))
        if parameters.get(b"name") != FIELD or b"filename" not in parameters:
            return
        if self.complete:
            raise InvalidInput("upload.two-files")
        self._inside = True
        self.name = parameters[b"filename"].decode("utf-8", errors="replace")

    def _add_content(self, data: bytes, start: int, end: int) -> None:
        if self._inside:
            self._content.append(data[start:end])

    def _end_part(self) -> None:
        if self._inside:
            self._inside = False
            self.complete = True
