"""Renders a piece of a page for an event stream, where no page is being answered."""

from starlette.requests import Request

from app.web.rendering import Rendering
from app.wording import Language


def render_fragment(request: Request, language: Language, template: str, view: object) -> str:
    """The HTML of a template that needs nothing but its view; one line less at its ends."""
    rendering: Rendering = request.app.state.rendering
    return rendering.environments[language].get_template(template).render(view=view).strip()
