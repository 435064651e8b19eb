"""The ASGI application, for `uvicorn --factory app.main:create`."""
