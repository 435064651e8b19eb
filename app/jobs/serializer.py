"""How dbos writes arguments, step results and errors: as JSON, never as pickles."""

import json
from typing import Any

from dbos import Serializer

from app.errors import AppError
from app.jobs.failures import error_from_json, error_to_json

_ERROR = "$error"
_OTHER = "$other"


class OtherFailure(Exception):
    """An error that is none of ours, as it was written down."""


class JsonSerializer(Serializer):
    """Both sides of the database must use the same."""

    def name(self) -> str:
        return "bitlens_json"

    def serialize(self, data: Any) -> str:
        if isinstance(data, AppError):
            data = {_ERROR: error_to_json(data)}
        elif isinstance(data, BaseException):
            data = {_OTHER: f"{type(data).__name__}: {data}"}
        return json.dumps(data, separators=(",", ":"), allow_nan=False)

    def deserialize(self, serialized_data: str) -> Any:
        data = json.loads(serialized_data)
        if isinstance(data, dict) and _ERROR in data:
            return error_from_json(data[_ERROR])
        if isinstance(data, dict) and _OTHER in data:
            return OtherFailure(data[_OTHER])
        return data
