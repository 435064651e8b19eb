"""The state of a long table in the query string: what is searched for, the order, the page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import urlencode

PAGE_ROWS = 100
LONGEST_SEARCH = 200
LONGEST_FILTER = 1100

Row = TypeVar("Row")
Other = TypeVar("Other")
SortKey = Callable[[Row], tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class TableQuery:
    """What was asked for; what makes no sense became the default."""

    find: str
    sort: str
    descending: bool
    page: int
    filters: Mapping[str, str] = field(default_factory=dict)
    """What else the rows must be, by the name of the parameter."""

    @classmethod
    def read(
        cls,
        given: Mapping[str, str],
        sorts: Sequence[str],
        *,
        descending_first: frozenset[str],
        filters: Sequence[str] = (),
    ) -> "TableQuery":
        """From query parameters; `sorts` are the known orders, the default first."""
        sort = given.get("sort", "")
        sort = sort if sort in sorts else sorts[0]
        order = given.get("order", "")
        descending = order == "desc" if order in {"asc", "desc"} else sort in descending_first
        page = given.get("page", "1")
        number = int(page) if page.isascii() and page.isdigit() and len(page) <= 6 else 1
        asked = {name: text[:LONGEST_FILTER] for name in filters if (text := given.get(name, ""))}
        return cls(given.get("find", "")[:LONGEST_SEARCH], sort, descending, max(1, number), asked)

    def link(self, **changes: str) -> str:
        """The query string of the same table with something changed; defaults stay in it, so that it says all."""
        order = "desc" if self.descending else "asc"
        state = {"find": self.find, "sort": self.sort, "order": order, "page": str(self.page)}
        state |= {**self.filters, **changes}
        return "?" + urlencode(
            {name: value for name, value in state.items() if value and (name, value) != ("page", "1")}
        )


@dataclass(frozen=True, slots=True)
class Column:
    """A column that can be sorted by: its link turns the order round when it is sorted by it already."""

    name: str
    href: str
    aria_sort: str | None


@dataclass(frozen=True, slots=True)
class TablePage(Generic[Row]):
    """The rows of one page, and where the others are."""

    rows: tuple[Row, ...]
    query: TableQuery
    found: int
    total: int
    first: int
    page: int
    pages: int
    previous_href: str | None
    next_href: str | None
    columns: Mapping[str, Column]

    def with_rows(self, rows: tuple[Other, ...]) -> "TablePage[Other]":
        """The same page with its rows made ready to be shown."""
        return TablePage(
            rows=rows,
            query=self.query,
            found=self.found,
            total=self.total,
            first=self.first,
            page=self.page,
            pages=self.pages,
            previous_href=self.previous_href,
            next_href=self.next_href,
            columns=self.columns,
        )


def table_page(
    rows: Sequence[Row], query: TableQuery, *, name_of: Callable[[Row], str], sorts: Mapping[str, SortKey[Row]]
) -> TablePage[Row]:
    """Searches, sorts and cuts; rows without a figure come last in either order, equal ones keep the file's order."""
    found = [row for row in rows if query.find.lower() in name_of(row).lower()] if query.find else list(rows)
    key = sorts[query.sort]
    having = [row for row in found if None not in key(row)]
    lacking = [row for row in found if None in key(row)]
    ordered = [*sorted(having, key=key, reverse=query.descending), *lacking]
    pages = max(1, -(-len(ordered) // PAGE_ROWS))
    page = min(query.page, pages)
    first = (page - 1) * PAGE_ROWS
    return TablePage(
        rows=tuple(ordered[first : first + PAGE_ROWS]),
        query=query,
        found=len(found),
        total=len(rows),
        first=first + 1,
        page=page,
        pages=pages,
        previous_href=query.link(page=str(page - 1)) if page > 1 else None,
        next_href=query.link(page=str(page + 1)) if page < pages else None,
        columns={name: _column(name, query) for name in sorts},
    )


def _column(name: str, query: TableQuery) -> Column:
    is_sorted = name == query.sort
    turned = "asc" if is_sorted and query.descending else "desc"
    sorted_as = "descending" if query.descending else "ascending"
    return Column(name, query.link(sort=name, order=turned, page="1"), sorted_as if is_sorted else None)
