"""The families of formats in the order of the table, and how the names of each are spelled."""

from dataclasses import dataclass

from app.formats import Family


@dataclass(frozen=True, slots=True)
class FamilySpelling:
    """`patterns` are for reading, with what may follow in `options`; `examples` parse and are not listed."""

    family: Family
    patterns: tuple[str, ...]
    examples: tuple[str, ...]
    options: tuple[str, ...] = ()


FAMILIES = (
    FamilySpelling(
        Family.FLOAT,
        ("e{0…15}m{0…112}", "binary{3…16}p{P}{s|u}{e|f}"),
        ("e5m10", "e4m3:bias=8:specials=nan-only", "e3m2:unsigned", "binary8p2se"),
        (
            ":bias=N",
            ":specials=ieee|infinity-nan|nan-only|none",
            ":unsigned",
            ":no-subnormals",
            ":no-zero",
            ":no-negative-zero",
        ),
    ),
    FamilySpelling(Family.POSIT, ("posit{2…128}",), ("posit12", "posit16:es=1"), (":es={0…8}",)),
    FamilySpelling(Family.TAKUM, ("takum_linear{2…128}",), ("takum_linear12",)),
    FamilySpelling(
        Family.INTEGER,
        ("int{1…128}", "uint{1…128}"),
        ("int5", "uint12", "int16:sign-magnitude", "int4:ones-complement"),
        (":sign-magnitude", ":ones-complement"),
    ),
    FamilySpelling(Family.FIXED_POINT, ("q{i}.{f}", "uq{i}.{f}"), ("q3.4", "uq0.8", "q23.8")),
    FamilySpelling(
        Family.CODEBOOK, ("codebook:{v0},{v1},…",), ("codebook:-1,0,1", "codebook:0,0.1,0.2,0.4,0.8,1.6,3.2,6.4")
    ),
    FamilySpelling(Family.BOOLEAN, (), ()),
    FamilySpelling(Family.BLOCK, (), ()),
)
