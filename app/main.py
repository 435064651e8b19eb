"""The ASGI application, for `uvicorn --factory app.main:create`."""

from fastapi import FastAPI

from app.settings import load_settings
from app.web.application import create_app


def create() -> FastAPI:
    """The application with the settings of the environment."""
    return create_app(load_settings())
