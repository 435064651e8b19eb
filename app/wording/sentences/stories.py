"""The stories of posits, takums, codebooks, fixed point and unusual floats; what arithmetic cannot give."""

SENTENCES = {
    # Arithmetic that gives no number.
    "arithmetic.far-operand": "An operand lies far beyond every format. Use a number that some format can hold.",
    "arithmetic.division-by-zero": "{format} has no code for a division by zero. Divide by another number.",
    "arithmetic.negative-root": (
        "{format} has no code for the square root of a negative number. Take the root of a number from 0 up."
    ),
    # Posits and takums: into the code.
    "tapered.nan": "{format} has one code for all that is no number, NaR (“not a real”): a 1 and zeros. It is stored.",
    "tapered.infinity": "{format} has no infinity, so NaR (“not a real”) is stored.",
    "tapered.zero": "Zero in {format} is the code of all zeros; there is no second zero.",
    "tapered.above": (
        "The largest number of {format} is {max}. There is no infinity beyond it, so what lies outside is held there."
    ),
    "tapered.below": (
        "The smallest positive number of {format} is {min}. A number other than zero never becomes zero, so the "
        "smallest one is taken."
    ),
    "posit.regime-up": (
        "The exponent {exponent} is {k} × {unit} + {rest}. The regime says {k}, as one more 1 than that and a closing"
        " 0: {regime}."
    ),
    "posit.regime-down": (
        "The exponent {exponent} is {k} × {unit} + {rest}. The regime says {k}, as that many zeros and a closing 1: "
        "{regime}."
    ),
    "posit.exponent": (
        "The rest, {rest}, follows as {places} exponent bits: {field}. Then come the bits of the fraction, without end."
    ),
    "takum.direction-up": "The exponent {exponent} is not negative, so the direction bit is 1.",
    "takum.direction-down": "The exponent {exponent} is negative, so the direction bit is 0.",
    "takum.regime": (
        "The regime {regime} says that {places} characteristic bits follow; exponents of that length begin at "
        "{start}, so the bits are {characteristic}. Then come the bits of the fraction, without end."
    ),
    "takum.regime-alone": (
        "The regime {regime} says that no characteristic bits follow: the exponent is {start}. Then come the bits of "
        "the fraction, without end."
    ),
    "tapered.nothing-cut": (
        "All these bits fit into the {places} places behind the sign bit of {format}: {kept}. Nothing is cut off."
    ),
    "tapered.cut": (
        "Behind its sign bit {format} has {places} places. The string is cut there: {kept} is kept, {rest} is cut off."
    ),
    "tapered.border": (
        "Half is counted on the bits, not on the numbers: the border between {low} and {high} is {border}, the number"
        " with one more bit, and not the middle."
    ),
    "tapered.negate": (
        "The number is negative: the code {code} of its magnitude is negated as two’s complement, all bits inverted "
        "and 1 added."
    ),
    # Posits and takums: reading a code.
    "tapered.read-nar": "A 1 and then only zeros: NaR (“not a real”), the one code of {format} that is no number.",
    "tapered.read-zero": "All bits are 0: zero, the only one of {format}.",
    "tapered.read-negative": (
        "The sign bit is 1: negative. Negated as two’s complement, the code is {code}; the fields are read from that."
    ),
    "posit.read-ones": "The regime {regime} is a run of {run} × 1, one more than it says: k = {k}.",
    "posit.read-zeros": "The regime {regime} is a run of {run} × 0: k = {k}.",
    "posit.read-exponent": (
        "The exponent bits {field} add {rest}: the power of two is {unit} × {k} + {rest} = {exponent}."
    ),
    "posit.read-cut-exponent": (
        "Of the {places} exponent bits only {field} fit; those cut off count as 0. They add {rest}: the power of two "
        "is {unit} × {k} + {rest} = {exponent}."
    ),
    "posit.read-no-exponent": (
        "There is no room for exponent bits; they count as 0: the power of two is {unit} × {k} = {exponent}."
    ),
    "takum.read-up": (
        "The direction bit is 1: the exponent is not negative. The regime {regime} says that {places} characteristic "
        "bits follow."
    ),
    "takum.read-down": (
        "The direction bit is 0: the exponent is negative. The regime {regime} counts from 7 down: {places} "
        "characteristic bits follow."
    ),
    "takum.read-characteristic": (
        "The characteristic {characteristic} adds {rest} to {start}: the power of two is {exponent}."
    ),
    "takum.read-no-characteristic": "Without characteristic bits the power of two is {exponent}.",
    "takum.read-padded": "A takum of {width} bits is read as if zeros followed, up to 12 bits.",
    "tapered.read-fraction": "The fraction follows a 1 that is not stored: {bits} in binary, {significand} in decimal.",
    "tapered.read-no-fraction": "No fraction bits are left: the significand is 1.",
    "tapered.read-value": "Sign, 2^{exponent} and significand multiplied give {value}.",
    # Codebooks.
    "codebook.exact": "{value} is one of the {count} values of {format}, at index {index}: it is stored exactly.",
    "codebook.beyond": (
        "The number lies beyond the values of {format}: the last one on that side, {value} at index {index}, stands "
        "for it."
    ),
    "codebook.neighbours": (
        "Of the {count} values of {format}, {low} and {high} lie beside it. Their midpoint is {middle}."
    ),
    "codebook.below-midpoint": (
        "The number lies below the midpoint, so {value} at index {index} is nearer and is stored."
    ),
    "codebook.above-midpoint": (
        "The number lies above the midpoint, so {value} at index {index} is nearer and is stored."
    ),
    "codebook.tie-even": (
        "The number is the midpoint: a tie. Of the values in order, counted from 0, the one at the even place wins: "
        "{value} at index {index}."
    ),
    "codebook.tie-away": (
        "The number is the midpoint: a tie, and the value farther from zero wins: {value} at index {index}."
    ),
    "codebook.directed": "The values {low} and {high} lie beside it, and {rounding} takes {value} at index {index}.",
    "codebook.read": "Index {index} in the list of the {count} values of {format}: {value}.",
    "codebook.behind-last": (
        "The list of {format} has {count} values, and index {index} lies behind the last: this code means nothing."
    ),
    # Fixed point and the other notations of integers.
    "fixed.units": "It is counted in units of 2^-{places}: {whole} of them, and nothing is left over.",
    "fixed.cut": (
        "It is counted in units of 2^-{places}: {whole} whole ones, and a part of one that must be rounded away."
    ),
    "fixed.read": "Read as a whole number, the bits are {whole}.",
    "fixed.read-negative": (
        "Read as a whole number in two’s complement, where the top bit weighs {top}, the bits are {whole}."
    ),
    "fixed.value": "That many units of 2^-{places}: {whole} × 2^-{places} = {value}.",
    "integer.ones-complement-weights": (
        "One’s complement: the top bit weighs {top}, all others are positive. The weights of the bits that are set "
        "add up: {terms} = {value}."
    ),
    "integer.minus-zero": "All {width} bits are 1: minus zero, the second code of zero in one’s complement.",
    "integer.magnitude": (
        "The other bits are the magnitude; the weights of those that are set add up: {terms} = {value}."
    ),
    "integer.with-sign": "With the sign, the number is {value}.",
    # Floats out of the ordinary.
    "store.slot": "The code has {width} bits; in memory it takes {bits}, and the others carry nothing.",
    "store.exponent-and-sign": (
        "Stored: sign bit {sign}; exponent field {exponent} + {bias} = {field}; there is no mantissa."
    ),
    "store.integer-bit": (
        "Stored: sign bit {sign}; exponent field {field}; the digit before the point as a bit of its own, {integer}; "
        "mantissa field {mantissa}, the bits after the point."
    ),
    "special.one-nan": "{format} has no payloads: one code of each NaN is enough, and it is stored.",
    "special.infinity-code": "{format} has a code for infinity, and it is stored.",
    "code.infinity-code": "This code is set aside in {format} for infinity.",
    "code.exponent-and-sign": (
        "The exponent field is {field}; minus the bias {bias}, this gives the magnitude 2^{exponent}. There is no "
        "mantissa."
    ),
    "code.no-exponent": "There is no exponent field: the power of two is always 2^{exponent}.",
    "code.integer-bit": (
        "The digit before the point is stored here, as the integer bit {integer}: {bits} in binary, {significand} in "
        "decimal."
    ),
    "x87.pseudo-denormal": (
        "A pseudo-denormal: exponent field 0 with the integer bit set. It is read as if the field were 1, and no "
        "processor writes it."
    ),
    "x87.unnormal": (
        "An unnormal: the exponent field is that of a normal number, yet the integer bit is 0. {format} has had no "
        "meaning for it since the 80387; it is an invalid operand."
    ),
    "x87.pseudo-infinity": (
        "A pseudo-infinity: the code of infinity with the integer bit 0. {format} has had no meaning for it since the"
        " 80387; it is an invalid operand."
    ),
    "x87.pseudo-nan": (
        "A pseudo-NaN: the code of a NaN with the integer bit 0. {format} has had no meaning for it since the 80387; "
        "it is an invalid operand."
    ),
}
